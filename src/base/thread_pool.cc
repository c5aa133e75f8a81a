#include "base/thread_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace tideline {

void NameThisThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

std::size_t CoreCount() { return std::max(1U, std::thread::hardware_concurrency()); }

ThreadPool::ThreadPool(ThreadPoolOptions options) : options_(std::move(options)) {
  threads_.reserve(options_.thread_count);
  for (std::size_t i = 0; i < options_.thread_count; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

ThreadPool::~ThreadPool() { Stop(); }

Status ThreadPool::Submit(std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return Unavailable("pool '{}' is stopping", options_.name);
    if (queue_.size() >= options_.queue_max) {
      return ResourceExhausted("pool '{}' has {} entries waiting, its limit", options_.name,
                               options_.queue_max);
    }
    queue_.push_back(std::move(work));
  }
  changed_.NotifyOne();
  return OkStatus();
}

void ThreadPool::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadPool::Run() {
  NameThisThread(options_.name);
  if (options_.nice != 0) {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);
  }
  for (;;) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

bool Gate::Enter() {
  const MutexLock lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void Gate::Leave() {
  const MutexLock lock(mutex_);
  if (--inside_ == 0) changed_.NotifyAll();
}

void Gate::CloseAndWait() {
  const MutexLock lock(mutex_);
  closed_ = true;
  while (inside_ != 0) changed_.Wait(mutex_);
}

}  // namespace tideline
