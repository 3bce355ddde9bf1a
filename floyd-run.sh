#!/usr/bin/env bash
# Launches the example of docs/runs.md on FloydHub: ./floyd-run.sh [further arguments of task.py]
#
# FloydHub closed in 2021. On any other GPU host, run the inner command with that host's folders.
# MNIST_DATASET and DOG_DATASET name the datasets to mount, FLOYD_ENV the environment.
set -euo pipefail

if ! command -v floyd >/dev/null; then
  echo "floyd-run.sh: floyd is not installed (pip install floyd-cli); FloydHub closed in 2021: on" \
    "another GPU host, run the command that this script holds" >&2
  exit 2
fi

inner=(
  python task.py --log-dir /output --data-dir /data-mnist --data-dog-dir /data-dog --gpu
  --task-time 2000 --max-steps 30000 --input-style combined --tasks dog id ref "$@"
)

exec floyd run --tensorboard --gpu --env "${FLOYD_ENV:-tensorflow-2.1}" \
  --data "${MNIST_DATASET:-multiple-tasks/datasets/mnist/1}:/data-mnist" \
  --data "${DOG_DATASET:-multiple-tasks/datasets/dogs/1}:/data-dog" \
  "$(printf '%q ' "${inner[@]}" | sed 's/ $//')"
