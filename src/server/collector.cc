#include "server/collector.h"

#include "base/log.h"

namespace tideline::server {

Collector::Collector(std::unique_ptr<SampleSink> sink, std::int64_t interval_ns)
    : sink_(std::move(sink)),
      interval_ns_(interval_ns),
      thread_({.name = "collect", .thread_count = 1}) {
  if (const Status status = thread_.Submit([this] { Run(); }); !status.ok()) {
    TL_LOG_ERROR("collector: {}", MessageOf(status));
  }
}

Collector::~Collector() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.Stop();
}

void Collector::Run() {
  HostMetrics metrics;
  bool prepared = false;
  for (;;) {
    const SteadyNs started = SystemClock().SteadyNow();
    if (!prepared) {
      const Status status = sink_->Prepare();
      prepared = status.ok();
      if (!prepared) TL_LOG_WARNING("collector: {}", MessageOf(status));
    }
    if (prepared) {
      const std::vector<HostSample> samples = metrics.Read(started);
      const Status status = sink_->Write(SystemClock().WallNow(), samples);
      if (!status.ok()) TL_LOG_WARNING("collector: {}", MessageOf(status));
    }
    const std::int64_t spent = SystemClock().SteadyNow().value - started.value;
    const MutexLock lock(mutex_);
    if (!stopping_) changed_.WaitFor(mutex_, std::max<std::int64_t>(kNsPerMs, interval_ns_ - spent));
    if (stopping_) return;
  }
}

}  // namespace tideline::server
