// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// node run_ort.js FOLDER: runs what FOLDER/request.json asks for with ONNX Runtime and writes FOLDER/answer.json; tensors are files of bytes.
const fs = require('fs');
const path = require('path');

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array, bool: Uint8Array
};

async function run(folder) {
  const ort = require('onnxruntime-node');
  const request = JSON.parse(fs.readFileSync(path.join(folder, 'request.json')));
  const feeds = {};
  for (const {name, type, dims, file} of request.feeds) {
    if (!arrays[type])
      throw new Error(`input '${name}' is ${type}`);
    const bytes = new Uint8Array(fs.readFileSync(path.join(folder, file)));
    feeds[name] = new ort.Tensor(type, new arrays[type](bytes.buffer), dims);
  }
  const session = await ort.InferenceSession.create(request.model, {graphOptimizationLevel: 'disabled', logSeverityLevel: 4});
  const outputs = [];
  for (const [name, tensor] of Object.entries(await session.run(feeds))) {
    const file = `out${outputs.length}`;
    fs.writeFileSync(path.join(folder, file), new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
    outputs.push({name, type: tensor.type, dims: tensor.dims.map(Number), file});
  }
  return {outputs};
}

const folder = process.argv[2];
run(folder).catch(error => ({error: String(error.message || error)}))
  .then(answer => fs.writeFileSync(path.join(folder, 'answer.json'), JSON.stringify(answer)));
