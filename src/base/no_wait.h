// base/no_wait.h: marks work on this thread that must not wait for a disk.
//
//   const NoWait no_wait;
//   answer = TryFromMemory();   // what would read a file fails with kUnavailable instead
//
// For event loops, which run short work themselves if all it needs is in memory and hand it on
// otherwise.
#pragma once

namespace tideline {

class NoWait {
 public:
  NoWait() : before_(active_) {
    active_ = true;
    refused_ = false;
  }
  ~NoWait() { active_ = before_; }
  NoWait(const NoWait&) = delete;
  NoWait& operator=(const NoWait&) = delete;
  /// Whether this thread is inside such a scope.
  static bool active() { return active_; }
  /// Notes that something in the scope was refused for it.
  static void Refuse() { refused_ = true; }
  /// Whether something was refused since the scope began.
  static bool refused() { return refused_; }

 private:
  static thread_local bool active_;
  static thread_local bool refused_;
  const bool before_;
};

}  // namespace tideline
