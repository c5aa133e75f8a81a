// base/thread_pool.h: named pools of ordinary threads with bounded queues.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace tideline {

/// Runs work somewhere. Implementations are thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Queues `work`; kResourceExhausted when the queue is full, kUnavailable when stopped.
  virtual Status Submit(std::function<void()> work) = 0;
};

struct ThreadPoolOptions {
  std::string name;                     ///< shown in the thread list; at most 15 characters
  std::size_t thread_count = 1;
  std::size_t queue_max = 65'536;
  int nice = 0;                         ///< added to the threads' nice value
};

/// Threads end in Stop or the destructor, after what is queued has run.
class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(ThreadPoolOptions options);
  ~ThreadPool() override;
  Status Submit(std::function<void()> work) override;
  /// Refuses new work, lets queued work finish, joins. Idempotent.
  void Stop();
  std::size_t thread_count() const { return options_.thread_count; }

 private:
  void Run();
  const ThreadPoolOptions options_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ TL_GUARDED_BY(mutex_);
  bool stopping_ TL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

/// Cores this process may run on (affinity aware); at least 1.
std::size_t CoreCount();

/// Sets the calling thread's name (truncated to 15 characters).
void NameThisThread(const std::string& name);

/// Lets work in until it is closed, then waits for those inside to leave.
class Gate {
 public:
  /// False once closed; every true must be followed by one Leave.
  bool Enter();
  void Leave();
  /// Refuses newcomers and waits for those inside.
  void CloseAndWait();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::size_t inside_ TL_GUARDED_BY(mutex_) = 0;
  bool closed_ TL_GUARDED_BY(mutex_) = false;
};

}  // namespace tideline
