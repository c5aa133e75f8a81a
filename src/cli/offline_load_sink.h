// cli/offline_load_sink.h: loads straight into a data directory that no server runs on.
//
// It opens the directory as a server would and calls the same service, so that the same rules hold and the same reasons
// come back; what falls away is the wire. Some calls are under way at a time: while one is synced, the next is staged.
#pragma once

#include <deque>
#include <memory>

#include "cli/load_sink.h"
#include "server/settings.h"
#include "server/storage_services.h"
#include "server/write_waiter.h"

namespace tideline::cli {

class OfflineLoadSink final : public LoadSink {
 public:
  OfflineLoadSink(server::Settings settings, LoadTarget target);

  std::size_t records_max() const override;
  std::size_t sent_max() const override;
  /// kAborted: a server runs on the directory. kNotFound: there is no database in it, and none is to be made.
  Status Prepare() override;
  /// kResourceExhausted: there was no room for long, though nothing else writes.
  Status Send(std::span<const api::RecordInput> records) override;
  Result<api::WriteRecordsAnswer> Receive() override;
  /// Writes a checkpoint and closes the directory.
  Status Finish() override;

 private:
  Status Create();

  server::Settings settings_;
  const LoadTarget target_;
  api::RecordInput common_;
  std::unique_ptr<server::StorageServices> storage_;
  std::deque<std::shared_ptr<server::WriteWaiter>> sent_;
};

}  // namespace tideline::cli
