#include "unroll/version.h"

#include <gtest/gtest.h>

#include <string>

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

TEST(Version, SaysWhichPartsAreThere) {
#ifdef UNROLL_HAVE_CURL
  constexpr bool have_curl = true;
#else
  constexpr bool have_curl = false;
#endif
  ASSERT_EQ(optional_parts().size(), 1u);
  EXPECT_EQ(optional_parts()[0].name, "curl");
  EXPECT_EQ(optional_parts()[0].built_in, have_curl);
}

}  // namespace
}  // namespace unroll
