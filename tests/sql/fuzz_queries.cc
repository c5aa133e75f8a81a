// fuzz_queries [--seed N] [--count N] [--seconds S] [--mutants PERCENT] [--statement SQL]: random statements
// (query_generator.h) through parser, binder, optimizer and executor; or the one given, on the rows of the seed.
//
// A statement is run with the optimizer off on one thread; then with it on, on one thread and on two, and on
// the storage engine. Answers must agree; rules may save a failing statement from its failure, never the
// reverse; none may fail with an internal error or as not supported. Mutants, which are mostly no statements
// at all, must be answered or refused. The first finding is printed with the seed that makes it alone, and
// ends the run with status 1.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/time.h"
#include "query_generator.h"

namespace tideline::slt {
namespace {

/// Rows of a seed's table: mostly few, since what joins of joins make of them grows with a high power of their number.
constexpr std::size_t RowCount(std::uint64_t seed) { return seed % 16 == 0 ? 18 : 3 + seed % 8; }
/// Statements of one seed, all on the same rows.
constexpr std::size_t kStatementsPerSeed = 50;

struct Options {
  std::uint64_t seed = 1;
  std::size_t count = 500;
  std::size_t mutants = 20;
  std::size_t seconds = SIZE_MAX;  ///< ends after so many, whatever the count
  std::string statement{};         ///< instead of random ones
};

Result<std::vector<std::string>> RowsOf(QueryRunner& runner, const std::string& sql) {
  const Answer answer = TL_TRY(runner.Query(sql, false));
  std::vector<std::string> rows;
  for (const auto& row : answer.rows) {
    std::string text;
    for (const auto& cell : row) text += cell.value_or("NULL") + "|";
    rows.push_back(std::move(text));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

bool IsOurFault(const Status& status) {
  return CodeOf(status) == ErrorCode::kInternal || CodeOf(status) == ErrorCode::kUnimplemented ||
         CodeOf(status) == ErrorCode::kDataLoss;
}

class Fuzzer {
 public:
  explicit Fuzzer(const Options& options) : options_(options) {}

  /// False after a finding.
  bool Run() {
    const std::int64_t start = SystemClock().SteadyNow().value;
    if (!options_.statement.empty()) return RunSeed(options_.seed, 0);
    for (std::size_t done = 0; done < options_.count; done += kStatementsPerSeed) {
      const auto spent = static_cast<std::size_t>((SystemClock().SteadyNow().value - start) / kNsPerSecond);
      if (spent >= options_.seconds) options_.count = done;
      if (done == options_.count) break;
      const std::uint64_t seed = options_.seed + done / kStatementsPerSeed;
      if (!RunSeed(seed, std::min(kStatementsPerSeed, options_.count - done))) return false;
      if (done % 10'000 == 0 && done > 0) {
        std::printf("%zu statements, %zu compared, %zu failed by right\n", done, compared_, failed_);
        std::fflush(stdout);
      }
    }
    std::printf("%zu statements from seed %llu: %zu compared, %zu failed by right, %zu mutants refused\n", options_.count,
                static_cast<unsigned long long>(options_.seed), compared_, failed_, refused_);
    // A generator that makes nothing but failures would find nothing.
    return options_.count < 200 || compared_ * 2 > options_.count - options_.count * options_.mutants / 100;
  }

 private:
  bool RunSeed(std::uint64_t seed, std::size_t count) {
    QueryGenerator generator(seed);
    const std::vector<Record> records = generator.Records(RowCount(seed));
    std::vector<std::unique_ptr<QueryRunner>> runners;
    for (const InProcessOptions options : {InProcessOptions{1, false, true}, InProcessOptions{1, true, true},
                                           InProcessOptions{2, true, true}, InProcessOptions{1, true, false}}) {
      Result<std::unique_ptr<QueryRunner>> runner = NewInProcessRunner(options);
      if (!runner.ok()) return Found(seed, "", "a runner cannot be made", runner.status());
      runners.push_back(*std::move(runner));
      const Status ready[] = {runners.back()->CreateDatabase("db"), runners.back()->CreateTable("db", "t"),
                              runners.back()->Write("db", "t", records)};
      for (const Status& status : ready) {
        if (!status.ok()) return Found(seed, "", "the rows cannot be written", status);
      }
    }
    if (!options_.statement.empty()) return RunStatement(seed, options_.statement, runners);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string sql = generator.Query();
      const bool mutant = i * 100 / count < options_.mutants;
      if (!(mutant ? RunMutant(seed, generator.Mutate(sql), *runners[1]) : RunStatement(seed, sql, runners))) return false;
    }
    return true;
  }

  bool RunMutant(std::uint64_t seed, const std::string& text, QueryRunner& runner) {
    const Result<Answer> answer = runner.Query(text, false);
    if (answer.ok()) return true;
    ++refused_;
    // What is known and not offered is refused as such.
    return CodeOf(answer.status()) != ErrorCode::kInternal || Found(seed, text, "a mutant", answer.status());
  }

  bool RunStatement(std::uint64_t seed, const std::string& sql, std::vector<std::unique_ptr<QueryRunner>>& runners) {
    const Result<std::vector<std::string>> plain = RowsOf(*runners[0], sql);
    if (!plain.ok()) {
      ++failed_;
      if (IsOurFault(plain.status()) || CodeOf(plain.status()) == ErrorCode::kInvalidArgument) {
        return Found(seed, sql, "without the optimizer", plain.status());
      }
    } else {
      ++compared_;
    }
    for (std::size_t r = 1; r < runners.size(); ++r) {
      const Result<std::vector<std::string>> rows = RowsOf(*runners[r], sql);
      if (!rows.ok()) {
        if (plain.ok() || IsOurFault(rows.status())) return Found(seed, sql, fmt::format("runner {}", r), rows.status());
        continue;
      }
      if (plain.ok() && *rows != *plain) {
        return Found(seed, sql, fmt::format("runner {} answers\n  {}\ninstead of\n  {}", r, fmt::join(*rows, "\n  "),
                                            fmt::join(*plain, "\n  ")),
                     OkStatus());
      }
    }
    return true;
  }

  static bool Found(std::uint64_t seed, const std::string& sql, const std::string& what, const Status& status) {
    std::printf("FOUND with --seed %llu --count %zu: %s: %s\n%s\n", static_cast<unsigned long long>(seed),
                kStatementsPerSeed, what.c_str(), status.ok() ? "" : std::string(MessageOf(status)).c_str(), sql.c_str());
    return false;
  }

  Options options_;
  std::size_t compared_ = 0;
  std::size_t failed_ = 0;
  std::size_t refused_ = 0;
};

int Main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--statement") {
      options.statement = argv[i + 1];
      continue;
    }
    std::uint64_t value = 0;
    const char* const end = argv[i + 1] + std::strlen(argv[i + 1]);
    if (std::from_chars(argv[i + 1], end, value).ptr != end) {
      std::fprintf(stderr, "%s wants a number, not %s\n", argv[i], argv[i + 1]);
      return 2;
    }
    if (name == "--seed") {
      options.seed = value;
    } else if (name == "--count") {
      options.count = value;
    } else if (name == "--seconds") {
      options.seconds = value;
    } else if (name == "--mutants" && value <= 100) {
      options.mutants = value;
    } else {
      std::fprintf(stderr, "usage: fuzz_queries [--seed N] [--count N] [--seconds S] [--mutants PERCENT] "
                           "[--statement SQL]\n");
      return 2;
    }
  }
  return Fuzzer(options).Run() ? 0 : 1;
}

}  // namespace
}  // namespace tideline::slt

int main(int argc, char** argv) { return tideline::slt::Main(argc, argv); }
