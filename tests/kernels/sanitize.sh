#!/usr/bin/env bash
# Every function of kernels.h over odd shapes under the address and undefined-behaviour sanitizers, for each instruction set.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
sources=$(ls kerazoo/kernels/*.c | grep -v tensorflow_ops)
# shellcheck disable=SC2086
${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -ffp-contract=off ${KERNEL_SANITIZERS--fsanitize=address,undefined -fno-sanitize-recover=all} \
  -Ikerazoo/kernels $sources tests/kernels/driver.c -o "$built/driver" -lpthread -lm
for instructions in AVX2 AVX-512; do
  ASAN_OPTIONS=detect_leaks=0 "$built/driver" "$instructions"
done
