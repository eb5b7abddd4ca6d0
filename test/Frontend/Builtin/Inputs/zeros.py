"""Writes a safetensors file of zeros with the weights of a printed module.

    tfc-build-builtin bert ... | zeros.py OUT.safetensors [edits]

Edits: --dtype F16, --strip bert., --drop NAME, --rename OLD=NEW, --shape NAME=2x3, --retype NAME=I32, --add NAME.
"""
import argparse
import json
import re
import struct
import sys

BYTES = {'F64': 8, 'F32': 4, 'F16': 2, 'BF16': 2, 'I32': 4}

parser = argparse.ArgumentParser()
parser.add_argument('output')
parser.add_argument('--dtype', default='F32')
parser.add_argument('--strip', default='')
for edit in ('--drop', '--rename', '--shape', '--retype', '--add'):
    parser.add_argument(edit, action='append', default=[])
options = parser.parse_args()


def parse_dims(text):
    return [int(dim) for dim in text.split('x') if dim]


tensors = {}
for match in re.finditer(r'tfc\.weight @(\S+) : tensor<([\dx]+)xf32> = \S+(.*)', sys.stdin.read()):
    shape = parse_dims(match[2])
    # A transposing layout means that the file has the matrix the other way round.
    tensors[match[1]] = (options.dtype, shape[::-1] if 'layout' in match[3] else shape)
for name in options.drop:
    del tensors[name]
for old, new in (pair.split('=') for pair in options.rename):
    tensors[new] = tensors.pop(old)
for name, shape in (pair.split('=') for pair in options.shape):
    tensors[name] = (tensors[name][0], parse_dims(shape))
for name, dtype in (pair.split('=') for pair in options.retype):
    tensors[name] = (dtype, tensors[name][1])
for name in options.add:
    tensors[name] = (options.dtype, [1])

header, end = {'__metadata__': {'format': 'pt'}}, 0
for name, (dtype, shape) in tensors.items():
    begin = end
    size = BYTES[dtype]
    for dim in shape:
        size *= dim
    end += size
    name = name[len(options.strip):] if name.startswith(options.strip) else name
    header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [begin, end]}
text = json.dumps(header).encode()
with open(options.output, 'wb') as file:
    file.write(struct.pack('<Q', len(text)) + text + bytes(end))
