#include "cli/interrupt_scope.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "base/check.h"

namespace tideline::cli {
namespace {

std::atomic<int> interrupt_count{0};
std::atomic<int> wake_event{-1};
struct sigaction previous_action;

void WriteEvent(int event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof(one));  // full means awake already
}

void OnInterrupt(int signal) {
  const int error = errno;
  if (interrupt_count.fetch_add(1) > 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);  // takes effect when this handler returns
  }
  WriteEvent(wake_event.load());
  errno = error;
}

}  // namespace

InterruptScope::InterruptScope() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  TL_CHECK(event_ >= 0);
  interrupt_count.store(0);
  wake_event.store(event_);
  ::sigaction(SIGINT, nullptr, &previous_action);
  if (previous_action.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

InterruptScope::~InterruptScope() {
  ::sigaction(SIGINT, &previous_action, nullptr);
  wake_event.store(-1);
  ::close(event_);
}

bool InterruptScope::interrupted() const { return interrupt_count.load() > 0; }

void InterruptScope::Wait(int timeout_ms) {
  pollfd waiting{event_, POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(event_, &count, sizeof(count));
}

void InterruptScope::Wake() { WriteEvent(event_); }

}  // namespace tideline::cli
