// Values, texts, and what is no JSON.
#include "src/io/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace unroll::io {
namespace {

std::string again(std::string_view text) {
  const auto value = Json::parse(text);
  return value ? value->dump() : "no JSON";
}

TEST(Json, ParsesAndWritesEveryKind) {
  EXPECT_EQ(again(" null "), "null");
  EXPECT_EQ(again("[true, false]"), "[true,false]");
  EXPECT_EQ(again("[0, -1, 18446744073709551615, -9223372036854775808]"),
            "[0,-1,18446744073709551615,-9223372036854775808]");
  EXPECT_EQ(again("[0.1, 5.0, -0.0, 1e-7, 1e300]"), "[0.1,5.0,-0.0,1e-07,1e+300]");
  EXPECT_EQ(again(R"({"b": [], "a": {}, "c": [{"d": "e"}]})"),
            R"({"b":[],"a":{},"c":[{"d":"e"}]})");
  EXPECT_EQ(again(R"("\u00e9\n\"\ud83d\ude00")"), "\"\xc3\xa9\\n\\\"\xf0\x9f\x98\x80\"");
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", "[1,]", "{\"a\"}", "{a:1}", "1 2", "[1", "nul", "\"\xff\"",
                           "\"\\ud83d\"", "[1e999]", "01", "'a'", "[NaN]"}) {
    EXPECT_EQ(again(text), "no JSON") << text;
  }
}

TEST(Json, SaysWhereTheMistakeIs) {
  std::size_t mistake = 0;
  EXPECT_FALSE(Json::parse("[1, x]", &mistake));
  EXPECT_EQ(mistake, 5U);
  EXPECT_TRUE(Json::parse("[1]", &mistake));
  EXPECT_EQ(mistake, 0U);
}

TEST(Json, IsAtMostAHundredDeep) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  std::size_t mistake = 1;
  EXPECT_TRUE(Json::parse(nested(100), &mistake));
  EXPECT_FALSE(Json::parse(nested(101), &mistake));
  EXPECT_EQ(mistake, 0U);
}

TEST(Json, BracesMakeObjectsOfPairsAndListsOfAllElse) {
  const Json object = {{"name", "gru"}, {"shape", {50, 1}}, {"config", {{"seed", nullptr}}}};
  EXPECT_EQ(object.dump(), R"({"name":"gru","shape":[50,1],"config":{"seed":null}})");
  EXPECT_EQ(Json::array({"a", 1}).dump(), R"(["a",1])");
  EXPECT_EQ(Json::array({Json::array({"a", 1})}).dump(), R"([["a",1]])");
  EXPECT_EQ(Json(std::vector<bool>{true, false}).dump(), "[true,false]");
  EXPECT_EQ(Json().dump(), "null");
}

TEST(Json, IndentsAsAskedFor) {
  const Json object = {{"list", {1, 2}}, {"empty", Json::array()}, {"none", Json::object()}};
  EXPECT_EQ(object.dump(2),
            "{\n  \"list\": [\n    1,\n    2\n  ],\n  \"empty\": [],\n  \"none\": {}\n}");
  EXPECT_EQ(Json::array({1}).dump(0), "[\n1\n]");
}

TEST(Json, WritesTextsThatEveryReaderTakes) {
  EXPECT_EQ(Json("caf\xc3\xa9").dump(-1, true), "\"caf\\u00e9\"");
  EXPECT_EQ(Json("caf\xe9").dump(), "\"caf\xef\xbf\xbd\"");
  EXPECT_EQ(Json("caf\xe9").dump(-1, true), "\"caf\\ufffd\"");
  EXPECT_EQ(Json(std::string("a\0b", 3)).dump(), "\"a\\u0000b\"");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Json, EntriesKeepTheirOrder) {
  Json object;
  object["b"] = 1;
  object["a"] = 2;
  object["b"] = 3;
  EXPECT_EQ(object.dump(), R"({"b":3,"a":2})");
  object.update({{"c", 4}, {"a", 5}});
  EXPECT_EQ(object.dump(), R"({"b":3,"a":5,"c":4})");
  object.erase("b");
  object.erase("no such");
  EXPECT_EQ(object.dump(), R"({"a":5,"c":4})");
  EXPECT_EQ(object.items()[1].first, "c");
}

TEST(Json, FindsEntriesOfObjectsOnly) {
  const Json object = {{"a", 1}};
  EXPECT_EQ(object.find("a")->get<int>(), 1);
  EXPECT_EQ(object.find("b"), object.end());
  EXPECT_EQ(object.value("b", 7).get<int>(), 7);
  EXPECT_FALSE(Json("a").contains("a"));
  EXPECT_FALSE(Json::array({"a"}).contains("a"));
  EXPECT_TRUE(Json(3).items().empty());
}

TEST(Json, ARepeatedKeyIsSeen) {
  EXPECT_EQ(Json::parse(R"({"a": 1, "b": 2, "a": 3})")->repeated_key(), "a");
  EXPECT_EQ(Json::parse(R"({"": 1, "": 3})")->repeated_key(), "");
  EXPECT_EQ(Json::parse(R"({"a": {"a": 1}})")->repeated_key(), std::nullopt);
  EXPECT_EQ(Json::parse(R"(["a", "a"])")->repeated_key(), std::nullopt);
}

TEST(Json, NumbersAreToldApart) {
  EXPECT_TRUE(Json::parse("1")->is_number_unsigned());
  EXPECT_TRUE(Json::parse("-1")->is_number_integer());
  EXPECT_FALSE(Json::parse("-1")->is_number_unsigned());
  EXPECT_FALSE(Json::parse("1.0")->is_number_integer());
  EXPECT_TRUE(Json::parse("99999999999999999999")->is_number_float());
  EXPECT_EQ(Json::parse("-3")->get<double>(), -3.0);
  EXPECT_FALSE(Json(true).is_number());
}

TEST(Json, CopiesAreDeep) {
  const Json first = {{"list", {1, 2}}};
  Json second = first;
  second["list"].push_back(3);
  second["list"].erase(std::size_t{0});
  EXPECT_EQ(first.dump(), R"({"list":[1,2]})");
  EXPECT_EQ(second.dump(), R"({"list":[2,3]})");
}

}  // namespace
}  // namespace unroll::io
