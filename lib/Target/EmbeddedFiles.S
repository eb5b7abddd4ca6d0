/* Files that the compiler carries with it: the runtime's core, which goes into every model.so, and the header of the
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

  .section .note.GNU-stack, "", %progbits
