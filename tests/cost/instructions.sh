#!/usr/bin/env bash
# The hot path has not become dearer: instructions an event are at most 3 % over bench/instructions.txt.
# After a change that is worth it: bench/instructions --update.
exec bench/instructions --check --build "$BUILD_DIR"
