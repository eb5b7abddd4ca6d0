/*===- Error.c - Codes with a sentence ----------------------------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Built with TLS descriptors (CMakeLists.txt), so that model.so needs no symbol of the dynamic linker. The
   one function that touches it is kept out of line: resolving a descriptor may clobber vector registers in
   older C libraries. */
static _Thread_local char lastSentence[512] __attribute__((tls_model("global-dynamic")));

__attribute__((noinline)) static char *sentenceOfThread(void) { return lastSentence; }

int32_t tfc_core_fail(TfcCode code, const char *format, ...) {
  char *text = sentenceOfThread();
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(lastSentence), format, arguments);
  va_end(arguments);
  /* Names come from models: a sentence is one line whatever they hold. */
  for (; *text; ++text)
    if ((unsigned char)*text < 0x20 || *text == 0x7F)
      *text = '?';
  return code;
}

const char *tfc_core_last_error(void) { return sentenceOfThread(); }

void tfc_core_say(Sentence *sentence, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t room = sizeof(sentence->text) - sentence->length;
  int wanted = vsnprintf(sentence->text + sentence->length, room, format, arguments);
  va_end(arguments);
  if (wanted > 0)
    sentence->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

const char *tfc_core_type_name(TfcDataType type, char *text) {
  const char *prefix = "?";
  switch (type.code) {
  case TFC_INT:
    prefix = "i";
    break;
  case TFC_UINT:
    prefix = "ui";
    break;
  case TFC_FLOAT:
    prefix = "f";
    break;
  case TFC_BFLOAT:
    prefix = "bf";
    break;
  case TFC_BOOL:
    return strcpy(text, "bool");
  case TFC_FLOAT8_E4M3FN:
    return strcpy(text, "f8E4M3FN");
  case TFC_FLOAT8_E4M3FNUZ:
    return strcpy(text, "f8E4M3FNUZ");
  case TFC_FLOAT8_E5M2:
    return strcpy(text, "f8E5M2");
  case TFC_FLOAT8_E5M2FNUZ:
    return strcpy(text, "f8E5M2FNUZ");
  default:
    snprintf(text, 16, "type %u:%u", type.code, type.bits);
    return text;
  }
  snprintf(text, 16, "%s%u", prefix, type.bits);
  return text;
}
