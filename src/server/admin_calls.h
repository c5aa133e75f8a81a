// server/admin_calls.h: what an operator on this machine may ask of a running server; see docs/operations.md.
#pragma once

#include <vector>

#include "base/held_clock.h"
#include "front/admin/admin_handler.h"
#include "storage/engine/engine.h"

namespace tideline::server {

/// `clock` is null without --test-clock. Both outlive the calls.
std::vector<admin::AdminCall> MakeAdminCalls(engine::Engine& engine, HeldClock* clock);

}  // namespace tideline::server
