#!/bin/sh
# gradescope.sh N - packs what Gradescope wants of an autograder into $BUILD/gradescope-N.zip: setup.sh, which it runs
# once, run_autograder, which it runs for each submission, and this tree without solutions.
set -u
cd "$(dirname "$0")/../.." || exit 1
ls -d exercises/"$(printf %02d "${1#0}")"-*/ >/dev/null 2>&1 || { echo "There is no exercise $1." >&2; exit 2; }
zip --version >/dev/null 2>&1 || { echo 'There is no zip here: apt-get install zip, or what it is called on your system.' >&2; exit 1; }
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
OUT=$place/evlings sh tools/class/handout.sh handout 2>/dev/null || exit 1
cat > "$place/setup.sh" <<'END'
#!/bin/sh
# Gets what is needed, and grades the stub: so everything is built before the first student comes.
cd /autograder/source/evlings && apt-get update && apt-get install -y make && sh tools/deps.sh install &&
    sh tools/deps.sh install-class && sh ../run_autograder stub
END
cat > "$place/run_autograder" <<END
#!/bin/sh
# Grades what was handed in, in the best sandbox that works here. Each submission has a container of its own, too: where
# nothing works inside of that it has to be enough.
cd /autograder/source/evlings || exit 1
from=/autograder/submission
[ "\${1:-}" != stub ] || from=exercises/$(basename exercises/"$(printf %02d "${1#0}")"-*)/grader/stub.c
mkdir -p /autograder/results
for sandbox in '' none; do
    make -s grade-class ONE="\$from" N=$1 FORMAT=gradescope SANDBOX="\$sandbox" > /autograder/results.json &&
        exec mv /autograder/results.json /autograder/results/results.json
done
exit 1
END
chmod +x "$place/setup.sh" "$place/run_autograder"
zip_file=$PWD/${BUILD:-build}/gradescope-$1.zip
case ${BUILD:-build} in /*) zip_file=$BUILD/gradescope-$1.zip ;; esac
rm -f "$zip_file"
(cd "$place" && zip -qr "$zip_file" .) && echo "$zip_file"
