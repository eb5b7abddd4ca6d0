// node run_ort.js FOLDER: runs every FOLDER/*.onnx with ONNX Runtime on the inputs of its .json, and writes .out.json.
const fs = require('fs');
const ort = require('onnxruntime-node');
const arrays = {
  float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array, int8: Int8Array, float64: Float64Array
};

async function main(folder) {
  for (const file of fs.readdirSync(folder).filter(name => name.endsWith('.onnx')).sort()) {
    const stem = folder + '/' + file.slice(0, -5);
    const result = {};
    try {
      const feeds = {};
      for (const [name, {type, dims, data}] of Object.entries(JSON.parse(fs.readFileSync(stem + '.json')))) {
        const bytes = Buffer.from(data, 'base64');
        const copy = new Uint8Array(bytes).buffer;
        feeds[name] = new ort.Tensor(type, new arrays[type](copy), dims);
      }
      const session = await ort.InferenceSession.create(stem + '.onnx', {graphOptimizationLevel: 'disabled', logSeverityLevel: 4});
      for (const [name, tensor] of Object.entries(await session.run(feeds)))
        result[name] = {type: tensor.type, dims: tensor.dims.map(Number),
                        data: Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString('base64')};
    } catch (error) {
      result.error = String(error.message || error);
    }
    fs.writeFileSync(stem + '.out.json', JSON.stringify(result));
  }
}
main(process.argv[2]);
