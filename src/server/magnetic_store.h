// server/magnetic_store.h: the S3-compatible store that holds the magnetic tier, when one is named.
#pragma once

#include <memory>

#include "base/status.h"
#include "server/settings.h"
#include "storage/objstore/object_store.h"

namespace tideline::server {

/// Null when --object-store is empty: the magnetic store then lies in the data directory. Keys come from
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of `environment`. The store is probed:
/// kUnimplemented says what makes it unfit; kInvalidArgument names the setting. One that does not answer is no error: it is
/// probed again before the first write (probed_object_store.h).
Result<std::unique_ptr<objstore::ObjectStore>> OpenMagneticStore(const Settings& settings,
                                                                 const Environment& environment);

}  // namespace tideline::server
