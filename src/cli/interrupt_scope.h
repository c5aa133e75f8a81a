// cli/interrupt_scope.h: ^C while something runs that can be told to stop.
#pragma once

namespace tideline::cli {

/// While it lives, the first SIGINT is counted and wakes Wait; the next one ends the process, as SIGINT does
/// by default. A process that was started with SIGINT ignored goes on ignoring it. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  bool interrupted() const;
  /// Until SIGINT, Wake or the end of the time, whichever comes first; may return early.
  void Wait(int timeout_ms);
  /// Thread-safe.
  void Wake();

 private:
  int event_;
};

}  // namespace tideline::cli
