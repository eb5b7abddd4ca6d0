/* Files that the compiler carries with it: the runtime's core, which goes into every model.so, for this machine and others, and the header of the
   model ABI, which goes into every model.h. CMakeLists.txt says where they are. */

#define EMBED(name, path)                                                                                              \
  .balign 16;                                                                                                          \
  .globl name;                                                                                                         \
  .hidden name;                                                                                                        \
  name: .incbin path;                                                                                                  \
  .globl name##_end;                                                                                                   \
  .hidden name##_end;                                                                                                  \
  name##_end: .byte 0

  .section .rodata
  EMBED(tfc_embedded_core_object, TFC_CORE_OBJECT)
  EMBED(tfc_embedded_model_abi, TFC_MODEL_ABI)
  /* Empty where there was nothing to compile it with. */
#ifdef TFC_CORE_OBJECT_AARCH64
  EMBED(tfc_embedded_core_object_aarch64, TFC_CORE_OBJECT_AARCH64)
#else
  EMBED(tfc_embedded_core_object_aarch64, "/dev/null")
#endif

  .section .note.GNU-stack, "", %progbits
