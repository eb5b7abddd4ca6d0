# What `cmake --install` and `cpack` put where. Everything finds the rest relative to itself, so the folder can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TFC_CMAKE_FOLDER lib/cmake/tfc)
install(EXPORT tfcTargets NAMESPACE tfc:: DESTINATION ${TFC_CMAKE_FOLDER})
configure_package_config_file(cmake/tfcConfig.cmake.in ${PROJECT_BINARY_DIR}/tfcConfig.cmake INSTALL_DESTINATION ${TFC_CMAKE_FOLDER})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tfcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/tfc.pc.in ${PROJECT_BINARY_DIR}/tfc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tfcConfig.cmake ${PROJECT_BINARY_DIR}/tfcConfigVersion.cmake cmake/TfcAddModel.cmake
        DESTINATION ${TFC_CMAKE_FOLDER})
install(FILES ${PROJECT_BINARY_DIR}/tfc.pc DESTINATION lib/pkgconfig)
install(DIRECTORY python/tfc DESTINATION share/tfc/python PATTERN __pycache__ EXCLUDE)
install(FILES LICENSE README.md DESTINATION share/doc/tfc)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tfc)
set(CPACK_PACKAGE_CONTACT "The tfc developers <tfc@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Ahead-of-time compiler for Transformer models, and its runtime")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# The shared libraries that the tools were linked with, as dpkg knows them.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
# dpkg-shlibdeps finds libLLVM through libMLIR only; the tools use it themselves.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libllvm${LLVM_VERSION_MAJOR}")
set(CPACK_STRIP_FILES ON)
include(CPack)
