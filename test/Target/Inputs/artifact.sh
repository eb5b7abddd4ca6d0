#!/bin/bash
# Makes artifacts of hand-written modules and looks at them from outside: by a C program, readelf, cmp and ls.
# usage: artifact.sh TFC-TARGET-TEST C-COMPILER FOLDER-OF-THIS-FILE SCRATCH-FOLDER
tool=$(command -v "$1") cc=$2 here=$3 work=$4
rm -rf "$work"; mkdir -p "$work"; cd "$work" || exit 1
failures=0
check() { # check NAME COMMAND...
  local name=$1; shift
  if "$@" >check.log 2>&1; then echo "ok   $name"; else echo "FAIL $name"; head -20 check.log; failures=$((failures + 1)); fi
}
fails_with() { # fails_with TEXT CODE COMMAND...: one line on stderr that has TEXT
  local text=$1 code=$2; shift 2
  "$@" >out.log 2>err.log; local got=$?
  cat err.log
  [ $got -eq "$code" ] && [ "$(wc -l <err.log)" -eq 1 ] && grep -qF -- "$text" err.log
}
model=$here/two-kernels.mlir
build_and_run() { # build_and_run FOLDER [tool options...]
  local folder=$1; shift
  mkdir -p "$folder" && "$tool" "$model" -o "$folder/model.so" -header "$folder/model.h" "$@" &&
    "$cc" -std=c11 -Wall -Wextra -Werror -DTWO_KERNELS_H="\"$folder/model.h\"" -DQUERY="${query:-tfc_model_query}" -I. "$here/run-two-kernels.c" \
      -o "$folder/program" "$folder/model.so" -Wl,-rpath,"$work/$folder" &&
    (cd / && "$work/$folder/program" "$work/$folder")
}

check embed build_and_run embed
check external build_and_run external -weights external
check seed-without-seeds build_and_run seed -weights seed
query=my_query check query-name build_and_run query -query my_query

check external-file test "$(stat -c %s external/model.weights)" = 128
check no-external-file test ! -e embed/model.weights
truncate -s 127 external/model.weights
check damaged-weights-are-refused bash -c '! external/program external'
rm external/model.weights
check missing-weights-are-refused bash -c '! external/program external'

needed() { readelf -d embed/model.so | grep NEEDED | grep -vE '\[lib(c|m|pthread)\.so\.[0-9]+\]' ; }
check needs-only-libc bash -c "$(declare -f needed); ! needed"
check no-runpath bash -c '! readelf -d embed/model.so | grep -E "RUNPATH|RPATH"'
check one-exported-symbol test "$(readelf --dyn-syms -W embed/model.so | awk '$7 != "UND" && $5 == "GLOBAL" {print $8}')" = tfc_model_query
check exported-under-its-name test "$(readelf --dyn-syms -W query/model.so | awk '$7 != "UND" && $5 == "GLOBAL" {print $8}')" = my_query
check soname bash -c 'readelf -d embed/model.so | grep -F "soname: [model.so]"'
check weights-are-read-only bash -c 'readelf -lW embed/model.so | grep LOAD | tail -1 | grep -E " R +0x1000"'

mkdir -p again; "$tool" "$model" -o again/model.so -header again/model.h -jobs 1
check same-bytes cmp embed/model.so again/model.so
check same-header cmp embed/model.h again/model.h
cp embed/model.so embed/whole.so; strip embed/model.so
check survives-strip embed/program

check two-headers bash -c "sed 's/two-kernels/another/' $model > another.mlir && $tool another.mlir -o another.so -header another.h &&
  printf '#include \"embed/model.h\"\n#include \"another.h\"\nint main(void) { return two_kernels_main_entry + another_main_entry; }\n' > two.c &&
  $cc -std=c11 -Wall -Wextra -Werror -I. -c two.c && cp two.c two.cpp && $cc -x c++ -std=c++17 -Wall -Wextra -Werror -I. -c two.cpp"
check two-models-in-one-program bash -c "$tool another.mlir -o another.so -header another.h -query another_query &&
  printf '#include \"embed/model.h\"\n#include \"another.h\"\nint main(void) { TfcLoaded *a, *b; return two_kernels_open(\".\", &a) || another_open(\".\", &b) ||
    tfc_model_query() == another_query() || tfc_model_query()->api == another_query()->api; }\n' >both.c &&
  $cc -std=c11 -Wall -Werror -I. both.c -o both embed/model.so another.so -Wl,-rpath,$work/embed -Wl,-rpath,$work && ./both"
check assembly bash -c "$tool $model -emit asm -o model.s && grep -q tfc.code.add_0 model.s"
check object bash -c "$tool $model -emit obj -o model.o && readelf -s model.o | grep -q tfc_core_api"
check device bash -c "$tool $model -emit asm -o /dev/stdout | grep -q tfc.code.add_0 && test -c /dev/null && $tool $model -emit asm -o /dev/null && test -c /dev/null"
check cpu bash -c "$tool $model -cpu x86-64-v3 -o v3.so"
check other-architecture bash -c "$tool $model -triple aarch64-linux-gnu -emit obj -o arm.o && readelf -h arm.o | grep -q AArch64"

# A module large enough to be cut into parts: kernels, shared data, private helpers.
many_kernels() {
  echo 'module attributes {tfc.model_name = "many"} {'
  echo '  llvm.mlir.global private constant @table(dense<[1, 2, 3, 4]> : tensor<4xi64>) : !llvm.array<4 x i64>'
  echo '  llvm.mlir.global internal @state(7 : i64) : i64'
  echo '  llvm.func internal @helper(%x: i64) -> i64 attributes {no_inline} { %t = llvm.mlir.addressof @state : !llvm.ptr %s = llvm.load %t : !llvm.ptr -> i64 %r = llvm.add %x, %s : i64 llvm.return %r : i64 }'
  for k in $(seq 0 39); do
    echo "  llvm.func @k$k(%args: !llvm.ptr, %begin: i64, %end: i64, %worker: !llvm.ptr) {"
    echo "    %t = llvm.mlir.addressof @table : !llvm.ptr  %a0 = llvm.load %t : !llvm.ptr -> i64  %v0 = llvm.call @helper(%a0) : (i64) -> i64  %c = llvm.mlir.constant($k : i64) : i64"
    for i in $(seq 1 150); do echo "    %x$i = llvm.xor %v$((i - 1)), %c : i64  %v$i = llvm.mul %x$i, %begin : i64"; done
    echo "    llvm.store %v150, %args : i64, !llvm.ptr  llvm.return }"
  done
  echo '  llvm.func @main_run(%run: !llvm.ptr) -> i32 { %zero = llvm.mlir.constant(0 : i32) : i32 llvm.return %zero : i32 }'
  echo "  tfc.entry @main {run = @main_run, symbols = [], values = [#tfc.expr<1>], value_segments = array<i64: 0>, inputs = [], outputs = [],"
  echo "    requirements = [], kernels = [$(seq -s ', ' -f '@k%.0f' 0 39)], launches = [], binds = [], arena_bytes = array<i64: 0>}"
  echo '}'
}
many_kernels >many.mlir
check parts "$tool" many.mlir -o many.so -jobs 2
cp many.so many-2.so; "$tool" many.mlir -o many.so -jobs 1
check parts-same-bytes cmp many.so many-2.so
check parts-all-kernels test "$(readelf -sW many.so | grep -c ' tfc.code.k')" = 40

# What cannot be done says so in one line and leaves nothing behind.
mkdir folder
check output-is-a-folder fails_with 'folder' 2 "$tool" "$model" -o folder
check output-in-no-folder fails_with 'No such file' 2 "$tool" "$model" -o nowhere/model.so
check empty-output fails_with 'empty' 2 "$tool" "$model" -o ''
check header-in-no-folder fails_with 'nowhere/model.h' 2 "$tool" "$model" -o good.so -header nowhere/model.h
check header-over-output fails_with 'cannot both be written' 2 "$tool" "$model" -o good.so -header good.so
check nothing-stays test ! -e good.so
check unknown-cpu fails_with "unknown CPU 'z80'" 2 "$tool" "$model" -cpu z80 -o bad.so
check unknown-feature fails_with "unknown CPU feature 'warp'" 2 "$tool" "$model" -features +warp -o bad.so
check unknown-triple fails_with "no code generator" 2 "$tool" "$model" -triple pdp11-dec-none -o bad.so
check other-architecture-links-not fails_with 'cannot be linked' 2 "$tool" "$model" -triple riscv64-linux-gnu -o bad.so
check bad-query fails_with 'no C identifier' 2 "$tool" "$model" -query 'a b' -o bad.so
broken() { # broken NAME SED-EXPRESSION TEXT: the changed module is refused with that text
  sed "$2" "$model" >"broken-$1.mlir"
  check "$1" bash -c '! cmp -s "$1" "$2"' _ "broken-$1.mlir" "$model"
  check "$1-refused" fails_with "$3" 2 "$tool" "broken-$1.mlir" -o bad.so
}
broken kernel-number 's/launches = \[{kernel = 0/launches = [{kernel = 7/' "launches[0]: 'kernel' is 7"
broken value-number 's/scratch = 2/scratch = 6/' "launches[0]: 'scratch' is 6"
broken forward-value 's/"%0"/"%5"/' "'%5', which does not stand before it"
broken unknown-symbol 's/#tfc.expr<4 \* batch>/#tfc.expr<4 * seq>/' "unknown symbol 'seq'"
broken no-kernel 's/kernels = \[@add_0/kernels = [@add_1/' "kernel @add_1 is no llvm.func"
broken host-type 's/run = @main_run/run = @add_0/' "the host program @add_0 is no llvm.func"
broken undefined-symbol 's/^  tfc.entry @main/  llvm.func @nobody()\n  llvm.func @calls() { llvm.call @nobody() : () -> () llvm.return }\n&/' "nobody"
broken weight-outside 's/segment_offset = 64/segment_offset = 112/' "weight @transposed does not lie in the segment"
broken weights-overlap 's/segment_offset = 64/segment_offset = 8/' "weights @bias and @transposed lie in the same place"
check no-partial-files bash -c 'test ! -e bad.so && ! ls -a . folder embed | grep -F .tmp'

if [ -w /dev/full ]; then
  check disk-full fails_with 'No space left' 3 "$tool" "$model" -o /dev/full
fi
echo "$failures failures"
exit $((failures > 0))
