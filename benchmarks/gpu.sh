#!/bin/sh
# One command for a bare machine with an NVIDIA GPU, Python 3.12, JAX with CUDA and PyTorch, without TensorFlow, Keras or
# a network: measures what gpu.py lists, from the folder that gpu_bundle.py made. Rows go to $OUT, or to
# benchmarks/results. `--cpu` rehearses on a machine without a GPU.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bundle=${KERAZOO_BUNDLE:-$here/bundle}
python=${PYTHON:-python3}

case " $* " in
*" --cpu "*) ;;
*) if ! command -v nvidia-smi >/dev/null 2>&1 || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
    echo "not measured: no GPU"
    exit 0
fi ;;
esac
if [ ! -d "$bundle/wheels" ]; then
    echo "error: $bundle is not there; make it with: python benchmarks/gpu_bundle.py" >&2
    exit 2
fi

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 143' TERM
for wheel in "$bundle"/wheels/*.whl; do
    "$python" -m zipfile -e "$wheel" "$unpacked/site"
done
"$python" -m tarfile --filter data -e "$bundle/data.tar.gz" "$unpacked/data"

export PYTHONPATH="$unpacked/site:$(dirname "$here")"
export KERAS_BACKEND=jax TFDS_DATA_DIR="$unpacked/data/tfds" KERAZOO_CACHE_DIR="$unpacked/data/cache"
export PYTHONUNBUFFERED=1
"$python" "$here/gpu.py" "$@"
