//===- Npy.h - Arrays in numpy's files --------------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// npz files are zip archives of npy files. Types that numpy does not know travel as their bits: bf16 as
// uint16, float8 as uint8, a 4-bit integer as one int8 each (reading and writing here leaves them so; Inputs
// and Outputs convert).
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_NPY_H
#define TFC_RUN_NPY_H

#include "Session/Array.h"
#include "Session/Status.h"

#include <string>
#include <vector>

namespace tfc {

/// Reads an npz file, or an npy file as one array without a name. One that is no such file ends in one
/// sentence.
Status readArrays(const std::string &path, std::vector<Array> &arrays);

/// Writes an npz file; it appears under its name only when it is complete.
Status writeArrays(const std::string &path, const std::vector<Array> &arrays);

/// The contents of an npy file. `where` begins the sentence of an error.
Status parseNpy(const std::string &where, std::vector<uint8_t> contents, Array &array);

/// The header that numpy wants before an array's bytes.
std::string npyHeader(const Array &array);

/// As what type this one travels in numpy's files.
TfcDataType typeInFiles(TfcDataType type);

/// Converts between the type of a model and its type in files, for the types numpy does not know.
Array forFile(const Array &array);
Status fromFile(const Array &array, TfcDataType wanted, Array &converted);

} // namespace tfc

#endif // TFC_RUN_NPY_H
