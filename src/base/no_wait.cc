#include "base/no_wait.h"

namespace tideline {

constinit thread_local bool NoWait::active_ = false;
constinit thread_local bool NoWait::refused_ = false;

}  // namespace tideline
