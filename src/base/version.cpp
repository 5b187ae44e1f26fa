#include "unroll/version.h"

#include <array>

#define UNROLL_TEXT_OF(x) #x
#define UNROLL_TEXT(x) UNROLL_TEXT_OF(x)
#define UNROLL_TRIPLE(a, b, c) UNROLL_TEXT(a) "." UNROLL_TEXT(b) "." UNROLL_TEXT(c)

namespace unroll {
namespace {

#ifdef UNROLL_HAVE_ARCHIVE
constexpr bool have_archive = true;
#else
constexpr bool have_archive = false;
#endif

#ifdef UNROLL_HAVE_CURL
constexpr bool have_curl = true;
#else
constexpr bool have_curl = false;
#endif

#ifdef UNROLL_HAVE_SENTENCEPIECE
constexpr bool have_sentencepiece = true;
#else
constexpr bool have_sentencepiece = false;
#endif

constexpr std::array parts{
    OptionalPart{"archive", have_archive, "reads reviews from tar.gz archives"},
    OptionalPart{"curl", have_curl, "reads tables from http and https"},
    OptionalPart{"sentencepiece", have_sentencepiece, "learns and applies subwords"}};

}  // namespace

std::string_view version() noexcept {
  return UNROLL_TRIPLE(UNROLL_VERSION_MAJOR, UNROLL_VERSION_MINOR, UNROLL_VERSION_PATCH);
}

std::string_view compiler() noexcept {
#ifdef __clang__
  return "Clang " UNROLL_TRIPLE(__clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return "GCC " UNROLL_TRIPLE(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::span<const OptionalPart> optional_parts() noexcept { return parts; }

}  // namespace unroll
