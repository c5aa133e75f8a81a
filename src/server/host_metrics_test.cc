#include "server/host_metrics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tideline::server {
namespace {

class HostMetricsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/proc_test";
    std::filesystem::create_directories(root_ + "/net");
    std::filesystem::create_directories(root_ + "/pressure");
  }
  void Put(const std::string& name, const std::string& text) { std::ofstream(root_ + "/" + name) << text; }
  static const HostSample* Find(const std::vector<HostSample>& samples, std::string_view name) {
    for (const HostSample& sample : samples) {
      if (sample.measure_name == name) return &sample;
    }
    return nullptr;
  }
  std::string root_;
};

TEST_F(HostMetricsTest, TurnsCountersIntoRates) {
  Put("meminfo", "MemTotal:       100 kB\nMemFree: 40 kB\n");
  Put("loadavg", "0.50 0.25 0.10 1/100 1\n");
  Put("pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n");
  Put("stat", "cpu  1 1 1 1 1 1 1 1\ncpu0 10 0 10 80 0 0 0 0 0 0\n");
  Put("diskstats", "   8       0 sda 10 0 100 0 20 0 200 0 0 500 0\n");
  Put("net/dev", "h\nh\n  eth0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n");
  HostMetrics metrics(root_);
  std::vector<HostSample> samples = metrics.Read({0});
  ASSERT_NE(Find(samples, "memory"), nullptr);
  EXPECT_EQ(Find(samples, "memory")->values[0].second, 102400);
  EXPECT_EQ(Find(samples, "load")->values[1].second, 0.25);
  EXPECT_EQ(Find(samples, "pressure")->values[0].second, 1.5);
  EXPECT_EQ(Find(samples, "cpu"), nullptr);
  Put("stat", "cpu0 20 0 20 160 0 0 0 0 0 0\n");
  Put("diskstats", "   8       0 sda 12 0 104 0 20 0 200 0 0 1500 0\n");
  Put("net/dev", "h\nh\n  eth0: 3000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n");
  samples = metrics.Read({2 * kNsPerSecond});
  ASSERT_NE(Find(samples, "cpu"), nullptr);
  EXPECT_DOUBLE_EQ(Find(samples, "cpu")->values[0].second, 10);
  EXPECT_DOUBLE_EQ(Find(samples, "disk")->values[0].second, 1);
  EXPECT_DOUBLE_EQ(Find(samples, "disk")->values[4].second, 50);
  EXPECT_DOUBLE_EQ(Find(samples, "network")->values[0].second, 1000);
  EXPECT_EQ(Find(samples, "network")->dimensions[1].second, "eth0");
}

TEST_F(HostMetricsTest, MissingFilesAreLeftOut) {
  HostMetrics metrics(root_ + "/nowhere");
  EXPECT_TRUE(metrics.Read({0}).empty());
}

}  // namespace
}  // namespace tideline::server
