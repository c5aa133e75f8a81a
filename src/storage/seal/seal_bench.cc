// What sealing costs: pages of a segment (32 KiB) and frames of the log, sealed and plain, and the
// making of a file's key.
#include <benchmark/benchmark.h>

#include "base/hash.h"
#include "base/random.h"
#include "storage/seal/ephemeral_sealer.h"
#include "storage/seal/sealer.h"

namespace tideline::seal {
namespace {

std::unique_ptr<FileSealer> MakeFile(Sealer& sealer) {
  Random random(1);
  return *sealer.ForFile({.file_uuid = MakeUuid(random),
                          .type = FileType::kSegment,
                          .format_version = 1,
                          .key_id = *sealer.CurrentKey({})});
}

template <typename AnySealer>
void SealPages(benchmark::State& state) {
  AnySealer sealer;
  const auto file = MakeFile(sealer);
  const auto bytes = static_cast<std::size_t>(state.range(0));
  Bytes page(bytes + file->overhead_bytes());
  std::uint64_t index = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(file->SealPage(++index, page).ok());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(index * bytes));
}
BENCHMARK(SealPages<PlainSealer>)->Arg(512)->Arg(4096)->Arg(32'748)->Arg(1 << 20);
BENCHMARK(SealPages<EphemeralSealer>)->Arg(512)->Arg(4096)->Arg(32'748)->Arg(1 << 20);

template <typename AnySealer>
void OpenPages(benchmark::State& state) {
  AnySealer sealer;
  const auto file = MakeFile(sealer);
  const auto bytes = static_cast<std::size_t>(state.range(0));
  Bytes page(bytes + file->overhead_bytes());
  if (!file->SealPage(1, page).ok()) std::abort();
  Bytes plain(bytes);
  std::uint64_t count = 0;
  for (auto _ : state) {
    // What a reader of segments does: check, then decrypt aside.
    if (!CheckPage(file->identity(), 1, page).ok()) std::abort();
    const BytesView covered = BytesView(page).first(page.size() - kPageCrcBytes);
    if (!file->DecryptInto(1, covered, plain).ok()) std::abort();
    benchmark::DoNotOptimize(plain.data());
    ++count;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(count * bytes));
}
BENCHMARK(OpenPages<PlainSealer>)->Arg(4096)->Arg(32'748);
BENCHMARK(OpenPages<EphemeralSealer>)->Arg(4096)->Arg(32'748);

void MakeFileKey(benchmark::State& state) {
  EphemeralSealer sealer;
  for (auto _ : state) benchmark::DoNotOptimize(MakeFile(sealer));
}
BENCHMARK(MakeFileKey);

}  // namespace
}  // namespace tideline::seal
