// What CSV files are refused for, literally.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/refused.h"
#include "unroll/csv.h"

namespace unroll {
namespace {

std::string reading(std::string_view text, const CsvOptions& options = {}) {
  return refused_with_kind([&] { parse_csv(text, "vix.csv", options); });
}

const char* const prices =
    "DATE,OPEN,CLOSE\n1990-01-02,17,17.24\n1990-01-03,18,n/a\n1990-01-04,19,19.22\n";

TEST(CsvRefusal, TextAmongNumbers) {
  const Table table = parse_csv(prices, "vix.csv");
  EXPECT_EQ(refused_with_kind([&] { table.column("CLOSE"); }),
            "format: vix.csv, line 3, column CLOSE: not a number\n"
            "  got    \"n/a\"\n"
            "  want   a number, or an empty field for a missing value\n"
            "hint: --missing \"n/a\" treats it as missing");
  const Table mended = parse_csv(prices, "vix.csv", {.missing = {"n/a"}});
  EXPECT_EQ(mended.column("CLOSE").at({2, 0}), static_cast<double>(19.22f));
}

TEST(CsvRefusal, AColumnOfText) {
  const Table table = parse_csv("NAME,x,y\nAnna,1,2\nBert,3,4\n", "people.csv");
  EXPECT_EQ(refused_with_kind([&] { table.column("NAME"); }),
            "format: people.csv, line 2, column NAME: not a number\n"
            "  got    \"Anna\"\n"
            "  want   a number, or an empty field for a missing value\n"
            "hint: columns of numbers: x, y");
}

TEST(CsvRefusal, AColumnOfDates) {
  const Table table = parse_csv(prices, "vix.csv");
  EXPECT_EQ(refused_with_kind([&] { table.column("DATE"); }),
            "format: vix.csv, line 2, column DATE: not a number\n"
            "  got    \"1990-01-02\"\n"
            "  want   a number, or an empty field for a missing value\n"
            "hint: columns of numbers: OPEN");
}

TEST(CsvRefusal, WhatIsNoDate) {
  const Table table = parse_csv("d,x\n2024-01-02,5\n2024-01-33,6\n", "a.csv");
  EXPECT_EQ(refused_with_kind([&] { table.dates("d"); }),
            "format: a.csv, line 3, column d: not a date\n"
            "  got    \"2024-01-33\"\n"
            "  want   a date such as 2024-06-28 or 6/28/2024, or an empty field");
  EXPECT_EQ(refused_with_kind([&] { table.dates("x"); }),
            "format: a.csv, line 2, column x: not a date\n"
            "  got    \"5\"\n"
            "  want   a date such as 2024-06-28 or 6/28/2024, or an empty field");
}

TEST(CsvRefusal, WhatIsNoText) {
  EXPECT_EQ(refused_with_kind([] { parse_csv("x\n1\n", "a.csv").text("x"); }),
            "value: a.csv: column x holds no text\n  got    numbers");
}

TEST(CsvRefusal, NoSuchColumn) {
  const Table table = parse_csv("DATE,OPEN,HIGH,LOW,CLOSE\n1990-01-02,1,2,3,4\n", "vix.csv");
  EXPECT_EQ(refused_with_kind([&] { table.column("Close"); }),
            "value: vix.csv has no column \"Close\"\n"
            "  got    DATE, OPEN, HIGH, LOW, CLOSE\n"
            "hint: column names keep their case: --column CLOSE");
  EXPECT_EQ(refused_with_kind([&] { table.dates("date"); }),
            "value: vix.csv has no column \"date\"\n"
            "  got    DATE, OPEN, HIGH, LOW, CLOSE\n"
            "hint: column names keep their case: --date-column DATE");
  const Table spaced = parse_csv("day,Adj Close\n1,2\n", "a.csv");
  EXPECT_EQ(refused_with_kind([&] { spaced.column("adj close"); }),
            "value: a.csv has no column \"adj close\"\n"
            "  got    day, Adj Close\n"
            "hint: column names keep their case: --column \"Adj Close\"");
  EXPECT_EQ(refused_with_kind([&] { table.column("PRICE"); }),
            "value: vix.csv has no column \"PRICE\"\n"
            "  got    DATE, OPEN, HIGH, LOW, CLOSE");
  const Table bare = parse_csv("1,2\n3,4\n", "bare.csv");
  EXPECT_EQ(refused_with_kind([&] { bare.column("CLOSE"); }),
            "value: bare.csv has no column \"CLOSE\"\n"
            "  got    1, 2\n"
            "hint: the file has no header, so its columns are numbered from 1");
}

TEST(CsvRefusal, OfManyColumnsSomeAreNamed) {
  std::string text = "c0";
  for (int i = 1; i < 1000; ++i) text += ",c" + std::to_string(i);
  EXPECT_EQ(refused_with_kind([&] { parse_csv(text, "wide.csv").column("x"); }),
            "value: wide.csv has no column \"x\"\n"
            "  got    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, ... (988 more)");
}

TEST(CsvRefusal, TwoColumnsOfOneName) {
  EXPECT_EQ(refused_with_kind([] { parse_csv("x,x\n1,2\n", "a.csv").column("x"); }),
            "value: a.csv has more than one column \"x\"\n"
            "  got    x, x\n"
            "hint: give each column a name of its own");
}

TEST(CsvRefusal, TooFewAndTooManyFields) {
  EXPECT_EQ(reading("a,b,c\n1,2,3\n4,5\n6,7,8\n"),
            "format: vix.csv, line 3: too few fields\n"
            "  got    2\n"
            "  want   3, as in line 1");
  EXPECT_EQ(reading("\na,b\n1,2\n\"x\ny\",4\n5,6,7,8\n"),
            "format: vix.csv, line 6: too many fields\n"
            "  got    4\n"
            "  want   2, as in line 2\n"
            "hint: a field that holds the separator has to be quoted");
}

TEST(CsvRefusal, AQuoteThatDoesNotEnd) {
  EXPECT_EQ(reading("a,b\n1,2\n3,\"four\n5,6\n"),
            "format: vix.csv, line 3, column b: a quoted field does not end\n"
            "  want   a closing \"");
  EXPECT_EQ(reading("a,\"b\n1,2\n", {.separator = ','}),
            "format: vix.csv, line 1: a quoted field does not end\n"
            "  want   a closing \"");
}

TEST(CsvRefusal, TextBehindAQuote) {
  EXPECT_EQ(reading("a,b\n1,\"two\"three\n"),
            "format: vix.csv, line 2, column b: text behind a closing quote\n"
            "  got    \"\"two\"three\"\n"
            "  want   the separator or the end of the line\n"
            "hint: a quote inside a quoted field is written twice");
}

TEST(CsvRefusal, NothingInIt) {
  for (const char* text : {"", "\n\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"}) {
    EXPECT_EQ(reading(text),
              "format: vix.csv is empty\n"
              "  want   a line with the names of the columns, then a line for each row");
  }
}

TEST(CsvRefusal, WhatIsNoTextFile) {
  EXPECT_EQ(reading(std::string_view("a,b\n1,2\n3,\0\n", 12)),
            "format: vix.csv, line 3: not a text file\n  got    a NUL byte\n  want   CSV");
  EXPECT_EQ(reading("\x1f\x8b\x08"),
            "format: vix.csv: not a text file\n"
            "  got    gzip's signature\n  want   CSV\nhint: unpack it first: gunzip");
  EXPECT_EQ(reading("PK\x03\x04"),
            "format: vix.csv: not a text file\n  got    zip's signature\n  want   CSV\n"
            "hint: unpack it first; a spreadsheet has to be exported as CSV");
  EXPECT_EQ(reading(std::string_view("\xff\xfe"
                                     "a\0",
                                     4)),
            "format: vix.csv: not a text file\n  got    UTF-16\n  want   UTF-8\n"
            "hint: iconv -f UTF-16 -t UTF-8 converts it");
}

TEST(CsvRefusal, Bounds) {
  EXPECT_EQ(
      reading("a,b,c\n", {.max_columns = 2}),
      "format: vix.csv, line 1: too many columns\n  got    3\n  want   at most 2 (max_columns)");
  EXPECT_EQ(reading("a\n1\n2\n3\n", {.max_rows = 2}),
            "format: vix.csv, line 4: too many rows\n  want   at most 2 (max_rows)");
  EXPECT_EQ(reading("a\n1\n2\n3\n", {.max_rows = 3}), "not refused");
  EXPECT_EQ(reading("a\n1\n", {.max_bytes = 3}),
            "format: vix.csv: too large\n  got    more than 3 bytes\n"
            "  want   at most that many (max_bytes)");
  EXPECT_EQ(reading("a\n1\n", {.max_bytes = 4}), "not refused");
}

TEST(CsvRefusal, Options) {
  EXPECT_EQ(reading("a\n", {.separator = '"'}),
            "value: CSV: no such separator\n  got    \"\"\"\n"
            "  want   a character other than a quote or newline");
  EXPECT_EQ(reading("a\n", {.decimal = ';'}),
            "value: CSV: no such decimal point\n  got    \";\"\n  want   \".\" or \",\"");
  EXPECT_EQ(reading("a\n", {.separator = ',', .decimal = ','}),
            "value: CSV: no such separator\n  got    \",\"\n"
            "  want   another character than the decimal point");
  EXPECT_EQ(reading("a\n", {.timeout = 0}),
            "value: CSV: no such timeout\n  got    0\n  want   seconds, above 0, at most 86400");
  EXPECT_EQ(reading("a\n", {.max_rows = -1}),
            "value: CSV: no such bound\n  got    a negative one\n"
            "  want   max_columns, max_rows and max_bytes of 0 and more");
}

TEST(CsvRefusal, ShowsControlCharactersAndCutsWhatIsLong) {
  const Table table =
      parse_csv("x,y\n1,1\n\"a\nb\tc\x01" + std::string(80, 'd') + "\",1\n2,1\n3,1\n", "a.csv");
  EXPECT_EQ(refused_with_kind([&] { table.column("x"); }),
            "format: a.csv, line 3, column x: not a number\n"
            "  got    \"a\\nb\\tc\\x01" +
                std::string(54, 'd') +
                "...\"\n"
                "  want   a number, or an empty field for a missing value\n"
                "hint: --missing \"a\\nb\\tc\\x01" +
                std::string(54, 'd') + "...\" treats it as missing");
}

TEST(CsvRefusal, ANumberThatFloat32CannotHold) {
  const Table table = parse_csv("x\n1\n1e39\n", "a.csv");
  EXPECT_EQ(table.column("x", DType::float64).at({1, 0}), 1e39);
  EXPECT_EQ(refused_with_kind([&] { table.column("x"); }),
            "format: a.csv, line 3, column x: too large for float32\n"
            "  got    1e+39\n"
            "  want   at most 3.4e38 either way");
  EXPECT_EQ(refused_with_kind([&] { table.column("x", DType::int32); }),
            "value: a table gives numbers as float32 or float64\n  got    int32");
}

}  // namespace
}  // namespace unroll
