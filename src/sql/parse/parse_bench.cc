// What parsing costs: the dashboard query that TSBS sends, and the widest of its kind.
#include <benchmark/benchmark.h>

#include <string>

#include "sql/parse/lexer.h"
#include "sql/parse/parser.h"
#include "sql/parse/print.h"

namespace tideline::sql::ast {
namespace {

constexpr std::string_view kMetrics[] = {"usage_user",    "usage_system", "usage_idle",
                                         "usage_nice",    "usage_iowait", "usage_irq",
                                         "usage_softirq", "usage_steal",  "usage_guest",
                                         "usage_guest_nice"};

// TSBS single-groupby with `metric_count` metrics and `host_count` hosts.
std::string SingleGroupBy(std::size_t metric_count, std::size_t host_count) {
  std::string text = "SELECT BIN(time, 60s) AS minute";
  std::string metrics;
  std::string hosts;
  for (std::size_t i = 0; i < metric_count; ++i) {
    text += fmt::format(
        ", MAX(CASE WHEN measure_name = '{0}' THEN measure_value::double ELSE NULL END) AS max_{0}",
        kMetrics[i]);
    metrics += fmt::format("{}measure_name = '{}'", i == 0 ? "" : " OR ", kMetrics[i]);
  }
  for (std::size_t i = 0; i < host_count; ++i) {
    hosts += fmt::format("{}hostname = 'host_{}'", i == 0 ? "" : " OR ", i);
  }
  return text + fmt::format(" FROM \"benchmark\".\"cpu\" WHERE ({}) AND ({}) AND time >= "
                            "'2026-01-01 00:00:00 +0000' AND time < '2026-01-01 01:00:00 +0000' "
                            "GROUP BY 1 ORDER BY 1 ASC",
                            metrics, hosts);
}

void BM_ParseSingleGroupBy(benchmark::State& state) {
  const std::string text = SingleGroupBy(static_cast<std::size_t>(state.range(0)),
                                         static_cast<std::size_t>(state.range(1)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(ParseStatement(text, {}));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) *
                          static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_ParseSingleGroupBy)->Args({1, 1})->Args({5, 8})->Args({10, 100});

void BM_TokenizeSingleGroupBy(benchmark::State& state) {
  const std::string text = SingleGroupBy(5, 8);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Tokenize(text, true));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) *
                          static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_TokenizeSingleGroupBy);

void BM_PrintSingleGroupBy(benchmark::State& state) {
  const StatementPtr statement = *ParseStatement(SingleGroupBy(5, 8), {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(Print(*statement));
  }
}
BENCHMARK(BM_PrintSingleGroupBy);

}  // namespace
}  // namespace tideline::sql::ast
