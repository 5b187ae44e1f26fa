// Random tables, written in random ways, read back as they were.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "src/base/random.h"
#include "tests/refused.h"
#include "unroll/csv.h"

namespace unroll {
namespace {

/// A sequence of random choices.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  Index below(Index count) { return random_.below(count, at_++); }
  bool chance(Index one_in) { return below(one_in) == 0; }

 private:
  base::Random random_;
  std::uint64_t at_ = 0;
};

struct RandomColumn {
  ColumnKind kind;
  std::string name;
  std::vector<double> numbers;
  std::vector<Timestamp> dates;
  std::vector<std::string> text;
};

struct RandomTable {
  Index rows = 0;
  std::vector<RandomColumn> columns;
};

/// Text of the characters that make trouble.
std::string nasty(Dice& dice, char separator) {
  const std::string letters = std::string("ab1.- \t\"\n\r';|,") + separator + "\xc3\xa4";
  std::string text;
  for (Index length = dice.below(8); length > 0; --length) {
    text += letters[static_cast<std::size_t>(dice.below(static_cast<Index>(letters.size())))];
  }
  return text;
}

double number(Dice& dice) {
  if (dice.chance(6)) return std::nan("");
  double value = static_cast<double>(dice.below(2'000'000'000) - 1'000'000'000);
  for (Index i = dice.below(4); i > 0; --i) value /= 7.0;
  return dice.chance(20) ? value * 1e200 : value;
}

Timestamp date(Dice& dice) {
  if (dice.chance(6)) return no_date;
  const std::chrono::seconds day(86'400 * (dice.below(40'000) - 10'000));
  return Timestamp(day + std::chrono::seconds(dice.chance(2) ? dice.below(86'400) : 0));
}

RandomTable random_table(Dice& dice, char separator) {
  RandomTable table;
  table.rows = 1 + dice.below(12);
  // Two at least: in one column blank lines would be values.
  for (Index column = 2 + dice.below(5); column > 0; --column) {
    RandomColumn& c = table.columns.emplace_back();
    c.kind = static_cast<ColumnKind>(dice.below(3));
    c.name = "c" + std::to_string(column) + nasty(dice, separator) + ".";
    for (Index row = 0; row < table.rows; ++row) {
      if (c.kind == ColumnKind::numbers) c.numbers.push_back(number(dice));
      if (c.kind == ColumnKind::dates) c.dates.push_back(date(dice));
      if (c.kind == ColumnKind::text) c.text.push_back(nasty(dice, separator));
    }
    // One entry that makes it text, wherever it comes.
    if (c.kind == ColumnKind::text) {
      c.text[static_cast<std::size_t>(dice.below(table.rows))] = "text";
    }
    // A column with nothing but holes would be one of numbers.
    if (c.kind == ColumnKind::dates) c.dates[0] = Timestamp();
  }
  return table;
}

std::string spelt(const RandomColumn& column, Index row) {
  const auto i = static_cast<std::size_t>(row);
  if (column.kind == ColumnKind::dates) return to_iso(column.dates[i]);
  if (column.kind == ColumnKind::text) return column.text[i];
  if (std::isnan(column.numbers[i])) return "";
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", column.numbers[i]);
  return text;
}

std::string field(const std::string& text, char separator, Dice& dice) {
  const bool needed = text.find_first_of(std::string("\"\n\r") + separator) != std::string::npos;
  if (!needed && !dice.chance(4)) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string written(const RandomTable& table, char separator, Dice& dice) {
  const std::string ends[] = {"\n", "\r\n", "\r"};
  const std::string& end = ends[dice.below(3)];
  std::string text = dice.chance(3) ? "\xef\xbb\xbf" : "";
  for (Index row = -1; row < table.rows; ++row) {
    std::string line;
    for (const RandomColumn& column : table.columns) {
      // Names are always quoted, as blanks around bare ones are dropped.
      if (&column != &table.columns.front()) line += separator;
      if (row >= 0) line += field(spelt(column, row), separator, dice);
      if (row < 0) line += field(column.name + "\"", separator, dice);
    }
    text += line + (row + 1 < table.rows || dice.chance(2) ? end : "");
    if (dice.chance(5) && row + 1 < table.rows) text += end;
  }
  return text;
}

void expect_same(const RandomTable& wanted, const Table& table) {
  ASSERT_EQ(table.rows(), wanted.rows);
  ASSERT_EQ(table.column_names().size(), wanted.columns.size());
  for (const RandomColumn& column : wanted.columns) {
    const std::string name = column.name + "\"";
    if (column.kind == ColumnKind::dates) {
      ASSERT_EQ(table.dates(name), column.dates);
    }
    if (column.kind == ColumnKind::text) {
      ASSERT_EQ(table.text(name), column.text);
    }
    if (column.kind != ColumnKind::numbers) continue;
    const Tensor values = table.column(name, DType::float64);
    for (Index row = 0; row < wanted.rows; ++row) {
      const double want = column.numbers[static_cast<std::size_t>(row)];
      const double got = values.at({row, 0});
      ASSERT_TRUE(got == want || (std::isnan(got) && std::isnan(want))) << want << " " << got;
    }
  }
}

TEST(CsvProperty, RandomTablesReadBack) {
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Dice dice(seed);
    const char separator = ",;\t| :"[dice.below(6)];
    const RandomTable wanted = random_table(dice, separator);
    const std::string text = written(wanted, separator, dice);
    const CsvOptions options{.separator = separator, .header = Header::yes};
    ASSERT_NO_FATAL_FAILURE(expect_same(wanted, parse_csv(text, "CSV", options)))
        << "seed " << seed << ":\n"
        << text;
  }
}

/// Whatever the bytes: a table or a refusal, and every column can be asked for.
TEST(CsvProperty, RandomBytesAreReadOrRefused) {
  const std::string letters = "a1.-,;\t|\"\"\n\n\r /:eE+\xef\xbb\xbf";
  Index read = 0;
  for (std::uint64_t seed = 0; seed < 30'000; ++seed) {
    Dice dice(seed + 1'000'000);
    std::string text;
    for (Index length = dice.below(60); length > 0; --length) {
      text += letters[static_cast<std::size_t>(dice.below(static_cast<Index>(letters.size())))];
    }
    const std::string result = refused_with_kind([&] {
      const Table table = parse_csv(text);
      ++read;
      for (const std::string& name : table.column_names()) {
        refused_with_kind([&] { table.column(name, DType::float64); });
        refused_with_kind([&] { table.dates(name); });
        refused_with_kind([&] { table.text(name); });
      }
      for (Index row = 1; row < table.rows(); ++row)
        ASSERT_GT(table.line(row), table.line(row - 1));
    });
    ASSERT_TRUE(result == "not refused" || result.starts_with("format: CSV")) << result << "\n"
                                                                              << text;
  }
  EXPECT_GT(read, 3000);
}

}  // namespace
}  // namespace unroll
