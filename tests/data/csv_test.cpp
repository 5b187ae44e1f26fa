#include "unroll/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace unroll {
namespace {

using testing::ElementsAre;

/// A column's numbers, NaN as -999.
std::vector<double> numbers(const Table& table, std::string_view column) {
  const Tensor tensor = table.column(column, DType::float64);
  std::vector<double> result;
  for (double value : tensor.values<double>()) result.push_back(std::isnan(value) ? -999 : value);
  return result;
}

std::vector<std::string> days(const Table& table, std::string_view column) {
  std::vector<std::string> result;
  for (Timestamp time : table.dates(column)) result.push_back(to_iso(time));
  return result;
}

TEST(Csv, NumbersDatesAndText) {
  const Table table = parse_csv("DATE,CLOSE,NOTE\n1990-01-02,17.24,first\n1990-01-03,18.19,\n");
  EXPECT_EQ(table.rows(), 2);
  EXPECT_THAT(table.column_names(), ElementsAre("DATE", "CLOSE", "NOTE"));
  EXPECT_EQ(table.kind("DATE"), ColumnKind::dates);
  EXPECT_EQ(table.kind("CLOSE"), ColumnKind::numbers);
  EXPECT_EQ(table.kind("NOTE"), ColumnKind::text);
  EXPECT_THAT(days(table, "DATE"), ElementsAre("1990-01-02", "1990-01-03"));
  EXPECT_THAT(numbers(table, "CLOSE"), ElementsAre(17.24, 18.19));
  EXPECT_THAT(table.text("NOTE"), ElementsAre("first", ""));
}

TEST(Csv, ColumnsAreFloat32Tensors) {
  const Table table = parse_csv("a,b\n0.1,2\n3,4\n");
  const Tensor a = table.column("a");
  EXPECT_EQ(a.shape(), (Shape{2, 1}));
  EXPECT_EQ(a.dtype(), DType::float32);
  EXPECT_EQ(a.floats()[0], 0.1f);
  const Tensor both = table.columns({"b", "a"});
  EXPECT_EQ(both.shape(), (Shape{2, 2}));
  EXPECT_THAT(both.values<float>(), ElementsAre(2, 0.1f, 4, 3));
}

TEST(Csv, LineEnds) {
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n",
                           "a,b\r\n1,2\r\n3,4", "a,b\r1,2\r3,4\r", "a,b\r1,2\r3,4",
                           "\xef\xbb\xbf"
                           "a,b\n1,2\n3,4\n",
                           "\n\na,b\n\n1,2\n\r\n3,4\n\n\n"}) {
    const Table table = parse_csv(text);
    EXPECT_EQ(table.rows(), 2) << text;
    EXPECT_THAT(numbers(table, "a"), ElementsAre(1, 3)) << text;
    EXPECT_THAT(numbers(table, "b"), ElementsAre(2, 4)) << text;
  }
}

TEST(Csv, QuotedFields) {
  const Table table = parse_csv(
      "\"the, name\",\"b\"\"b\",c\n"
      "\"x,1\",\"2.5\",\"two\nlines\"\n"
      "\"say \"\"hi\"\"\",\"\",\"\"\"\"\n"
      "plain \"quote\",3,\"\r\n\"\n");
  EXPECT_THAT(table.column_names(), ElementsAre("the, name", "b\"b", "c"));
  EXPECT_THAT(table.text("the, name"), ElementsAre("x,1", "say \"hi\"", "plain \"quote\""));
  EXPECT_THAT(numbers(table, "b\"b"), ElementsAre(2.5, -999, 3));
  EXPECT_THAT(table.text("c"), ElementsAre("two\nlines", "\"", "\r\n"));
}

TEST(Csv, LinesAreCountedThroughQuotesAndBlanks) {
  const Table table = parse_csv("a,b\n1,\"x\ny\nz\"\n\n2,w\n3,\"\r\n\"\n4,v");
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(1), 6);
  EXPECT_EQ(table.line(2), 7);
  EXPECT_EQ(table.line(3), 9);
}

TEST(Csv, LinesAreCountedAfterAHeaderOfTwoLines) {
  EXPECT_EQ(parse_csv("\"a\nb\",c\n1,2\n").line(0), 3);
  EXPECT_EQ(parse_csv("\n\n1,2\n").line(0), 3);
}

TEST(Csv, BlanksAroundNumbersDatesAndNames) {
  const Table table = parse_csv("DATE ,  CLOSE\n 1990-01-02 ,\t17.24 \n1990-01-03,   \n");
  EXPECT_THAT(numbers(table, "CLOSE"), ElementsAre(17.24, -999));
  EXPECT_THAT(days(table, "DATE"), ElementsAre("1990-01-02", "1990-01-03"));
}

TEST(Csv, BlanksAreKeptInText) {
  EXPECT_THAT(parse_csv("a,b\n x ,1\n").text("a"), ElementsAre(" x "));
}

TEST(Csv, MissingValues) {
  const Table table = parse_csv("d,x,y\n,,\n2024-01-02,NaN,1\n,3,nan\n");
  EXPECT_THAT(days(table, "d"), ElementsAre("", "2024-01-02", ""));
  EXPECT_THAT(numbers(table, "x"), ElementsAre(-999, -999, 3));
  EXPECT_THAT(numbers(table, "y"), ElementsAre(-999, 1, -999));
}

TEST(Csv, MissingMarkers) {
  const CsvOptions options{.missing = {"n/a", "-"}};
  const Table table =
      parse_csv("d,x,t\n-,1,a\n2024-01-02,n/a,-\n2024-01-03, - ,b\n", "CSV", options);
  EXPECT_THAT(days(table, "d"), ElementsAre("", "2024-01-02", "2024-01-03"));
  EXPECT_THAT(numbers(table, "x"), ElementsAre(1, -999, -999));
  EXPECT_THAT(table.text("t"), ElementsAre("a", "", "b"));
}

TEST(Csv, AColumnWithoutAnyValueHoldsMissingNumbers) {
  const Table table = parse_csv("a,b\n1,\n2,\n");
  EXPECT_EQ(table.kind("b"), ColumnKind::numbers);
  EXPECT_THAT(numbers(table, "b"), ElementsAre(-999, -999));
  EXPECT_THAT(days(table, "b"), ElementsAre("", ""));
  EXPECT_THAT(table.text("b"), ElementsAre("", ""));
}

// What is found out late must not lose what was read before.
TEST(Csv, AColumnTurnsOutToBeText) {
  const Table table = parse_csv("a,b,c,d\n1,2024-01-02,NaN,\n,,x,\n\"2,5\",x,y,z\nx,1,,\n");
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(table.kind(name), ColumnKind::text);
  EXPECT_THAT(table.text("a"), ElementsAre("1", "", "2,5", "x"));
  EXPECT_THAT(table.text("b"), ElementsAre("2024-01-02", "", "x", "1"));
  EXPECT_THAT(table.text("c"), ElementsAre("NaN", "x", "y", ""));
  EXPECT_THAT(table.text("d"), ElementsAre("", "", "z", ""));
  EXPECT_EQ(table.line(3), 5);
}

TEST(Csv, SeparatorsAreFound) {
  EXPECT_THAT(parse_csv("a;b\n1,5;2\n").column_names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_csv("a\tb c\n1\t2\n").column_names(), ElementsAre("a", "b c"));
  EXPECT_THAT(parse_csv("a|b\n1|2\n").column_names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_csv("a,b\n\"x;y\",2\n").column_names(), ElementsAre("a", "b"));
  EXPECT_THAT(parse_csv("a\n1\n2\n").column_names(), ElementsAre("a"));
}

TEST(Csv, SeparatorsAreForced) {
  const Table table = parse_csv("a:b;c\n1:2\n", "CSV", {.separator = ':'});
  EXPECT_THAT(table.column_names(), ElementsAre("a", "b;c"));
  EXPECT_THAT(parse_csv("a b\n1 2\n", "CSV", {.separator = ' '}).column_names(),
              ElementsAre("a", "b"));
}

TEST(Csv, DecimalCommas) {
  const Table table =
      parse_csv("d;x\n2024-01-02;-1,5\n2024-01-03;2,25e1\n", "CSV", {.decimal = ','});
  EXPECT_THAT(numbers(table, "x"), ElementsAre(-1.5, 22.5));
}

TEST(Csv, HeadersAreFound) {
  EXPECT_THAT(parse_csv("1990-01-02,17\n1990-01-03,18\n").column_names(), ElementsAre("1", "2"));
  EXPECT_THAT(parse_csv("x,17\ny,18\n").column_names(), ElementsAre("1", "2"));
  EXPECT_THAT(parse_csv("x,y\na,b\n").column_names(), ElementsAre("x", "y"));
  EXPECT_THAT(parse_csv("year,2019\n2001,5\n").column_names(), ElementsAre("year", "2019"));
  EXPECT_THAT(parse_csv("a,b\n").column_names(), ElementsAre("a", "b"));
  EXPECT_EQ(parse_csv("a,b\n").rows(), 0);
  EXPECT_EQ(parse_csv("5\n").rows(), 1);
}

TEST(Csv, HeadersAreForced) {
  EXPECT_EQ(parse_csv("1,2\n3,4\n", "CSV", {.header = Header::yes}).rows(), 1);
  EXPECT_THAT(parse_csv("1,2\n3,4\n", "CSV", {.header = Header::yes}).column_names(),
              ElementsAre("1", "2"));
  EXPECT_THAT(parse_csv("a,b\nc,d\n", "CSV", {.header = Header::no}).text("1"),
              ElementsAre("a", "c"));
}

TEST(Csv, NamesThatAreMissingAreNumbers) {
  EXPECT_THAT(parse_csv(",a,\n1,2,3\n").column_names(), ElementsAre("1", "a", "3"));
}

TEST(Csv, ABlankLineInOneColumnIsAMissingValue) {
  const Table table = parse_csv("x\n\n1\n\n\n2\n\n");
  EXPECT_THAT(numbers(table, "x"), ElementsAre(-999, 1, -999, -999, 2));
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(4), 6);
}

TEST(Csv, ThousandsOfColumns) {
  std::string text = "c0";
  for (int i = 1; i < 5000; ++i) text += ",c" + std::to_string(i);
  for (int row = 0; row < 20; ++row) {
    for (int i = 0; i < 5000; ++i) text += (i == 0 ? "\n" : ",") + std::to_string(row * i);
  }
  const Table table = parse_csv(text);
  EXPECT_EQ(table.rows(), 20);
  EXPECT_EQ(table.column_names().size(), 5000u);
  EXPECT_EQ(table.column("c4999").at({19, 0}), 19 * 4999);
  EXPECT_EQ(table.columns(table.column_names()).shape(), (Shape{20, 5000}));
}

TEST(Csv, AFirstLineLongerThanTheSample) {
  std::string text = "a,\"" + std::string(3'000'000, 'x') + "\"\n1,2\n";
  const Table table = parse_csv(text);
  EXPECT_EQ(table.rows(), 1);
  EXPECT_EQ(table.column_names()[1].size(), 3'000'000u);
}

}  // namespace
}  // namespace unroll
