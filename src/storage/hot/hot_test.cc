#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "columnar/value.h"
#include "storage/hot/buffer.h"
#include "storage/hot/deletion_vector.h"
#include "storage/hot/posting.h"
#include "storage/hot/series_index.h"

namespace tideline::hot {
namespace {

TEST(StableArray, ElementsNeverMove) {
  RowArray<std::uint64_t> array;
  std::vector<const std::uint64_t*> places;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    array.At(i) = i * 3;
    places.push_back(&array[i]);
  }
  std::size_t seen = 0;
  array.ForPieces(5, 90'000, [&](std::size_t first, const std::uint64_t* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(values[i], (first + i) * 3);
      ASSERT_EQ(places[first + i], values + i);
    }
    seen += count;
  });
  EXPECT_EQ(seen, 89'995U);
  EXPECT_EQ(array.GetOr(131'071, 7), 0U);
}

TEST(Posting, GrowsFromOneToListToBitmap) {
  Posting posting;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 100; ++i) {
    posting.Add(i * 5);
    expected.push_back(i * 5);
    Bitmap set;
    posting.UnionInto(&set);
    ASSERT_EQ(set.Values(), expected);
  }
  Posting moved = std::move(posting);
  EXPECT_EQ(moved.count(), 100U);
}

std::vector<KeyPart> Parts(const std::map<std::uint32_t, std::string>& values) {
  std::vector<KeyPart> parts;
  for (const auto& [slot, value] : values) {
    parts.push_back({.slot = slot, .value = value, .hash = Dictionary::HashOf(value)});
  }
  return parts;
}

TEST(SeriesIndex, FindsSeriesWhateverTheOrderOfDimensions) {
  SeriesIndex index;
  for (std::uint32_t slot = 0; slot < 3; ++slot) index.AddSlot(slot);
  index.AddMeasure(0, "cpu");
  index.AddMeasure(1, "mem");
  Random random(1);
  std::map<std::pair<std::uint32_t, std::map<std::uint32_t, std::string>>, SeriesId> model;
  for (int i = 0; i < 3000; ++i) {
    std::map<std::uint32_t, std::string> values;
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      if (random.Below(3) != 0) values[slot] = "v" + std::to_string(random.Below(9));
    }
    const auto measure = static_cast<std::uint32_t>(random.Below(2));
    std::vector<KeyPart> parts = Parts(values);
    std::reverse(parts.begin(), parts.end());
    const std::uint64_t hash = SeriesIndex::KeyHash(measure, SeriesIndex::DimensionsHash(parts));
    const auto found = index.Find(hash, measure, parts);
    const auto known = model.find({measure, values});
    ASSERT_EQ(found.has_value(), known != model.end());
    if (found.has_value()) {
      ASSERT_EQ(*found, known->second);
    } else {
      model[{measure, values}] = index.Add(hash, measure, parts);
    }
  }
  EXPECT_EQ(index.series_count(), model.size());
  // Every selection agrees with the model.
  const std::vector<std::string> wanted{"v1", "v5", "absent"};
  std::vector<std::uint32_t> codes = index.CodesOf(1, wanted);
  codes.insert(codes.begin(), kNullCode);
  const SlotFilter filters[] = {{.slot = 1, .codes = codes},
                                {.slot = SlotFilter::kMeasureSlot, .codes = {2}}};
  std::set<std::uint32_t> expected;
  for (const auto& [key, series] : model) {
    const auto value = key.second.find(1);
    const bool matches = value == key.second.end() || value->second == "v1" || value->second == "v5";
    if (matches && key.first == 1) expected.insert(series.value);
  }
  const std::vector<std::uint32_t> selected = index.Select(filters, index.series_count()).Values();
  EXPECT_EQ(std::set<std::uint32_t>(selected.begin(), selected.end()), expected);
}

TEST(Dictionary, FlatValuesAreSharedUntilAValueIsAdded) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.Add("one", Dictionary::HashOf("one")), 1U);
  const auto flat = dictionary.FlatValues();
  EXPECT_EQ(flat, dictionary.FlatValues());
  EXPECT_TRUE(flat->IsNull(0));
  EXPECT_EQ(flat->GetValue(1).text(), "one");
  dictionary.Add("a value too long to be inline", Dictionary::HashOf("a value too long to be inline"));
  EXPECT_NE(flat, dictionary.FlatValues());
  EXPECT_EQ(dictionary.FlatValues()->GetValue(2).text(), "a value too long to be inline");
}

TEST(Sheet, SparseColumnsFindTheirRows) {
  Sheet sheet(0);
  Random random(3);
  std::map<std::uint32_t, std::uint64_t> expected;
  SheetColumn* whole = nullptr;
  SheetColumn* sparse = nullptr;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const std::uint32_t row = sheet.StageRow(i % 7, i, 1);
    if (whole == nullptr) whole = sheet.ColumnFor(ColumnId{2}, MeasureType::kBigint);
    whole->AppendBits(row, i);
    if (i >= 100 && random.Below(3) == 0) {
      if (sparse == nullptr) sparse = sheet.ColumnFor(ColumnId{3}, MeasureType::kBigint);
      sparse->AppendBits(row, i * 2);
      expected[row] = i * 2;
    }
    sheet.Commit(i / 10 + 1);
  }
  EXPECT_TRUE(whole->IsWhole(5000));
  std::vector<std::uint32_t> positions(5000);
  sparse->LocateAll(5000, positions.data());
  for (std::uint32_t row = 0; row < 5000; ++row) {
    const auto at = expected.find(row);
    ASSERT_EQ(sparse->Locate(row), positions[row]);
    ASSERT_EQ(positions[row] != SheetColumn::kNoValue, at != expected.end());
    if (at != expected.end()) {
      ASSERT_EQ(sparse->Bits(positions[row]), at->second);
    }
  }
  EXPECT_EQ(sheet.VisibleRows(0), 0U);
  EXPECT_EQ(sheet.VisibleRows(1), 10U);
  EXPECT_EQ(sheet.VisibleRows(250), 2500U);
  EXPECT_EQ(sheet.VisibleRows(9999), 5000U);
}

TEST(Buffer, FindsTheLivingRowOfAKey) {
  Buffer buffer;
  Sheet* sheet = buffer.SheetFor(4);
  for (std::uint32_t i = 0; i < 10; ++i) {
    const std::uint32_t row = sheet->StageRow(1, i, 1);
    buffer.NoteRow(sheet, row, 1, i);
  }
  sheet->Commit(1);
  EXPECT_EQ(buffer.Find(1, 3)->row, 3U);
  EXPECT_FALSE(buffer.Find(1, 10).has_value());
  EXPECT_FALSE(buffer.Find(2, 3).has_value());
  const std::uint32_t row = sheet->StageRow(1, 3, 2);
  buffer.NoteRow(sheet, row, 1, 3);
  sheet->MarkDead(3, 2);
  sheet->Commit(2);
  EXPECT_EQ(buffer.Find(1, 3)->row, row);
  EXPECT_FALSE(sheet->IsDeadAt(3, 1));
  EXPECT_TRUE(sheet->IsDeadAt(3, 2));
}

TEST(DeletionVector, ShowsEachSnapshotItsOwn) {
  Bitmap frozen;
  frozen.Add(1);
  DeletionVector dead(std::move(frozen));
  dead.Mark(5, 10);
  dead.Mark(6, 20);
  EXPECT_EQ(dead.At(9)->Values(), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(dead.At(10)->Values(), (std::vector<std::uint32_t>{1, 5}));
  EXPECT_EQ(dead.At(99)->Values(), (std::vector<std::uint32_t>{1, 5, 6}));
  EXPECT_TRUE(dead.IsMarked(6));
  EXPECT_EQ(dead.MarksAfter(10).size(), 1U);
  for (std::uint32_t i = 0; i < 10'000; ++i) dead.Mark(100 + i, 30);
  dead.Freeze(25);
  EXPECT_EQ(dead.At(25)->count(), 3U);
  dead.Freeze(30);
  EXPECT_EQ(dead.At(30)->count(), 10'003U);
  EXPECT_TRUE(DeletionVector().empty());
}

}  // namespace
}  // namespace tideline::hot
