// service/api/choices.h: what the service's documents leave open, and what we chose.
//
// Every behaviour that nobody could confirm is a named constant here and nowhere else, so that it
// can be flipped in one place when somebody finds out. docs/compatibility.md lists them by name.
//
// Rooms below the service cannot read this header. What they do by these is an option of theirs, which the
// server sets from here: engine::VerdictRules (storage/engine/engine_options.h) and auth::AuthOptions
// (service/auth/authenticator.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace tideline::api::choices {

/// The ingestion window is the retention plus 40 minutes in all real messages; 15 of them are the
/// documented future limit, the other 25 are taken to be grace at the old end.
inline constexpr std::int64_t kFutureIngestionNs = 15 * kNsPerMinute;
inline constexpr std::int64_t kPastGraceNs = 25 * kNsPerMinute;

/// Members of a record win over the same members of CommonAttributes, one by one; else the common ones win.
inline constexpr bool kRecordWinsOverCommon = true;

/// MeasureValues of a record are added to those of CommonAttributes; else they stand in their place.
inline constexpr bool kMeasureValuesMerged = true;

/// A write with a lower version is refused even when it repeats the stored value; else it is accepted.
inline constexpr bool kLowerVersionEqualValueRefused = true;

/// Of two records with one identity and other values in one request the first wins and the second is refused; else the
/// last takes its place.
inline constexpr bool kFirstInRequestWins = true;

/// A MULTI record of a higher version replaces the whole stored set of measures: what it does not name is NULL then.
/// The other way, keeping what it does not name, is not built: write_service.cc says what it takes.
inline constexpr bool kMultiUpsertReplacesSet = true;

/// A DOUBLE of -0.0 is stored as it is; else as 0.0.
inline constexpr bool kNegativeZeroStored = true;

/// A time before 1970 rejects its record: as outside of the window, or with "Invalid time for record." where a long
/// retention puts it inside. Otherwise it refuses the request.
inline constexpr bool kTimeBefore1970RejectsRecord = true;

/// Boolean measure values are read without regard to case.
inline constexpr bool kBooleanAnyCase = true;

/// An empty VARCHAR measure value is refused (the model's minimum length is 1).
inline constexpr bool kEmptyVarcharRefused = true;

/// Enforcement of a DIMENSION partition key that names none.
inline constexpr bool kDefaultEnforcementOptional = true;

/// Page size of the List operations when MaxResults is absent; also its maximum.
inline constexpr std::int64_t kListPageDefault = 20;

// Texts that no real answer was seen of.
inline constexpr std::string_view kDatabaseExistsText = "A database with the name {} already exists.";
inline constexpr std::string_view kTableExistsText =
    "A table with the name {} already exists in the database {}.";
inline constexpr std::string_view kDatabaseNotEmptyText =
    "The database {} is not empty. Delete all tables before deleting the database.";
inline constexpr std::string_view kTypeConflictText =
    "Measure {} already exists with type {}; {} is not allowed.";
inline constexpr std::string_view kPartitionKeyMissingText =
    "The record is missing the required partition key dimension {}.";
inline constexpr std::string_view kLimitText = "The {} exceeds the limit of {}.";
inline constexpr std::string_view kKindConflictText =
    "Column {} already exists as a {}; a {} of that name is not allowed.";
inline constexpr std::string_view kCancelledQueryText =
    "The query with ID {} has been cancelled.";
inline constexpr std::string_view kAbandonedQueryText =
    "The query with ID {} has been cancelled because its result was not fetched for {} seconds.";
inline constexpr std::string_view kAlreadyCancelledText =
    "The query with ID {} has already been cancelled.";

/// Half width of the window around our clock in which a signature's date must lie (5 or 15 minutes).
inline constexpr std::int64_t kSignatureClockWindowNs = 15 * kNsPerMinute;
/// HTTP status of every refusal of a signature, key or token.
inline constexpr int kSignatureRefusalStatus = 400;

/// Where the report of rejected late records lies in its bucket, behind the table's prefix: database, table, date
/// (yyyy-MM-dd, UTC), report.
inline constexpr std::string_view kRejectedReportKey = "{}/{}/{}/{}.json";

/// The parameter names of PrepareQuery come without their '@'.
inline constexpr bool kParameterNamesBare = true;

}  // namespace tideline::api::choices
