// ProbeObjectStore; see s3_object_store.h.
#include <array>

#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "base/uuid.h"
#include "storage/objstore/s3_object_store.h"

namespace tideline::objstore {
namespace {

constexpr std::size_t kRacers = 16;
constexpr std::size_t kRaces = 8;
constexpr std::size_t kProbeBytesMax = 4096;

Status Unfit(std::string_view what) {
  return Unimplemented("the object store is unfit: {}", what);
}

// An unknown outcome is settled by reading, as every caller must.
Result<PutOutcome> Create(ObjectStore& store, std::string_view key, std::string_view text) {
  return PutIfAbsentSettled(store, key, AsBytes(text));
}

Status ExpectText(ObjectStore& store, std::string_view key, std::string_view text,
                  std::string_view otherwise) {
  const auto bytes = store.GetWhole(key, kProbeBytesMax);
  if (CodeOf(bytes.status()) == ErrorCode::kNotFound) return Unfit(otherwise);
  if (!bytes.ok()) return bytes.status();
  return AsText(*bytes) == text ? OkStatus() : Unfit(otherwise);
}

Status ProbeCreateTwice(ObjectStore& store, const std::string& root) {
  const std::string key = root + "twice";
  const PutOutcome first = TL_TRY(Create(store, key, "first"));
  if (first != PutOutcome::kCreated) return Unfit("a fresh key was taken");
  const PutOutcome second = TL_TRY(Create(store, key, "second"));
  if (second == PutOutcome::kCreated) {
    return Unfit("it created one key twice: it ignores If-None-Match, without which two writers "
                 "overwrite each other's commits");
  }
  return ExpectText(store, key, "first", "a refused create changed the object");
}

Status ProbeRaces(ObjectStore& store, const std::string& root) {
  ThreadPool racers({.name = "probe", .thread_count = kRacers});
  for (std::size_t race = 0; race < kRaces; ++race) {
    const std::string key = fmt::format("{}race-{}", root, race);
    std::size_t started = 0;
    std::size_t done = 0;
    std::vector<Result<PutOutcome>> outcomes(kRacers, PutOutcome::kUnknown);
    Mutex mutex;
    CondVar changed;
    for (std::size_t i = 0; i < kRacers; ++i) {
      TL_TRY(racers.Submit([&, i] {
        {
          // All at once, as far as a machine can.
          MutexLock lock(mutex);
          ++started;
          changed.NotifyAll();
          while (started < kRacers) changed.Wait(mutex);
        }
        outcomes[i] = Create(store, key, fmt::format("racer {}", i));
        MutexLock lock(mutex);
        ++done;
        changed.NotifyAll();
      }));
    }
    {
      MutexLock lock(mutex);
      while (done < kRacers) changed.Wait(mutex);
    }
    std::size_t winner = kRacers;
    for (std::size_t i = 0; i < kRacers; ++i) {
      if (!outcomes[i].ok()) return outcomes[i].status();
      if (*outcomes[i] != PutOutcome::kCreated) continue;
      if (winner != kRacers) return Unfit("two of 16 racers created one key: creation is not atomic");
      winner = i;
    }
    if (winner == kRacers) return Unfit("none of 16 racers created a key");
    TL_TRY(ExpectText(store, key, fmt::format("racer {}", winner),
                      "the object does not hold what its creator wrote"));
  }
  return OkStatus();
}

Status ProbeReads(ObjectStore& store, const std::string& root) {
  for (const char* name : {"list/b", "list-a", "list/a", "list.c"}) {
    const std::string key = root + name;
    TL_TRY(store.Put(key, AsBytes("0123456789")));
    TL_TRY(ExpectText(store, key, "0123456789", "a read right after a write does not see it"));
  }
  std::array<std::byte, 4> part;
  const std::size_t count = TL_TRY(store.Read(root + "list/a", 3, part));
  if (count != part.size() || AsText(part) != "3456") return Unfit("it does not answer a range");
  const std::size_t rest = TL_TRY(store.Read(root + "list/a", 8, part));
  if (rest != 2 || AsText(BytesView(part).first(2)) != "89") {
    return Unfit("it does not cut a range at the object's end");
  }
  std::vector<std::string> keys;
  const auto listed = TL_TRY(store.List(root + "list", "", 10));
  for (const ObjectInfo& object : listed) keys.push_back(object.key.substr(root.size()));
  const std::vector<std::string> expected{"list-a", "list.c", "list/a", "list/b"};
  if (keys != expected) return Unfit("a listing right after writes is not complete and in byte order");
  const auto after = TL_TRY(store.List(root + "list", root + "list.c", 1));
  if (after.size() != 1 || after[0].key != root + "list/a" || after[0].bytes != 10) {
    return Unfit("it does not keep start-after and max-keys of a listing");
  }
  TL_TRY(store.Remove(root + "list/a"));
  if (CodeOf(store.Head(root + "list/a").status()) != ErrorCode::kNotFound) {
    return Unfit("a removed object is still there");
  }
  return store.Remove(root + "list/a");
}

}  // namespace

Status ProbeObjectStore(ObjectStore& store) {
  Random random = Random::FromSystem();
  const std::string root = "probe/" + FormatUuid(MakeUuid(random)) + "/";
  Status status = ProbeCreateTwice(store, root);
  if (status.ok()) status = ProbeRaces(store, root);
  if (status.ok()) status = ProbeReads(store, root);
  const auto left = store.List(root, "", 1000);
  if (left.ok()) {
    for (const ObjectInfo& object : *left) static_cast<void>(store.Remove(object.key));
  }
  return status;
}

}  // namespace tideline::objstore
