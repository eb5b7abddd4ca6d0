#!/usr/bin/env python3
"""Compiles a built-in model with random weights from a file and runs all cases of reference.py.

    run_builtin.py FAMILY --config KEY=VALUE,... [--dtype BF16] [--bare] [--flags=--reference] [--stage STAGE]

Exit code 0 when every output of every case is within tfc-run's default tolerance of the reference, else 1.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
import reference  # noqa: E402
from model_runs import succeeds  # noqa: E402


def compile_model(options, folder):
    model = ['--builtin', options.family, '--config', options.config, '--load', folder / 'weights.safetensors']
    artifact = folder / 'model.so'
    if options.stage:
        module = folder / f'{options.stage}.mlir'
        if not succeeds('tfc-compile', *model, f'--emit={options.stage}', '-o', module):
            return None
        model = [module]
    return artifact if succeeds('tfc-compile', *model, '-o', artifact, *options.flags) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('family', choices=['bert', 'gpt2'])
    parser.add_argument('--config', required=True)
    parser.add_argument('--dtype', default='F32')
    parser.add_argument('--bare', action='store_true')
    parser.add_argument('--flags', action='append', default=[])
    parser.add_argument('--stage')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cases = reference.write(options.family, folder, options.config, options.dtype, options.bare)
        artifact = compile_model(options, folder)
        passed = artifact is not None
        for case in cases if passed else []:
            passed &= succeeds('tfc-run', artifact, '--inputs', folder / f'{case}.inputs.npz', '--expect',
                               folder / f'{case}.outputs.npz', '--rtol', '1e-4', '--atol', '1e-5')
    sys.exit(0 if passed else 1)


if __name__ == '__main__':
    main()
