//===- Status.h - Whether it worked, and with what exit code the tool ends if not -------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_SESSION_STATUS_H
#define TFC_LIB_SESSION_STATUS_H

#include <string>
#include <utility>

namespace tfc {

/// The exit codes of the tools.
enum ExitCode { Fine = 0, CheckFailed = 1, BadInput = 2, Defect = 3 };

/// A sentence and an exit code, or nothing to say.
struct [[nodiscard]] Status {
  int code = Fine;
  std::string sentence;

  explicit operator bool() const { return code != Fine; }
};

inline Status badInput(std::string sentence) { return {BadInput, std::move(sentence)}; }
inline Status defect(std::string sentence) { return {Defect, std::move(sentence)}; }

} // namespace tfc

#endif // TFC_LIB_SESSION_STATUS_H
