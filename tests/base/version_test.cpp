#include "unroll/version.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {
namespace {

TEST(Version, IsTheOneOfTheHeaders) {
  EXPECT_EQ(version(), std::to_string(UNROLL_VERSION_MAJOR) + "." +
                           std::to_string(UNROLL_VERSION_MINOR) + "." +
                           std::to_string(UNROLL_VERSION_PATCH));
}

TEST(Version, NamesTheCompilerThatBuiltIt) {
#ifdef __clang__
  EXPECT_EQ(compiler().substr(0, 6), "Clang ");
#else
  EXPECT_EQ(compiler(), "GCC " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) +
                            "." + std::to_string(__GNUC_PATCHLEVEL__));
#endif
}

constexpr bool have_curl =
#ifdef UNROLL_HAVE_CURL
    true;
#else
    false;
#endif
constexpr bool have_archive =
#ifdef UNROLL_HAVE_ARCHIVE
    true;
#else
    false;
#endif
constexpr bool have_sentencepiece =
#ifdef UNROLL_HAVE_SENTENCEPIECE
    true;
#else
    false;
#endif

TEST(Version, SaysWhichPartsAreThere) {
  std::vector<std::pair<std::string_view, bool>> parts;
  for (const OptionalPart& part : optional_parts()) parts.emplace_back(part.name, part.built_in);
  const std::vector<std::pair<std::string_view, bool>> want{
      {"archive", have_archive}, {"curl", have_curl}, {"sentencepiece", have_sentencepiece}};
  EXPECT_EQ(parts, want);
}

}  // namespace
}  // namespace unroll
