// Any bytes as a CSV file: a table or a refusal, never anything else.
//
// The first two bytes choose the options, the rest is the file. Build with clang and
// -DUNROLL_FUZZ=ON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/csv.h"
#include "unroll/error.h"

namespace {

using unroll::CsvOptions;
using unroll::Header;

CsvOptions options_of(std::uint8_t first, std::uint8_t second) {
  constexpr char separators[] = {'\0', ',', ';', '\t', '|', ' ', ':', 'a'};
  CsvOptions options;
  options.separator = separators[first % 8];
  options.header = static_cast<Header>(first / 8 % 3);
  options.decimal = second % 2 == 1 && options.separator != ',' ? ',' : '.';
  if (second / 2 % 2 == 1) options.missing = {"n/a", "-"};
  options.max_columns = 2000;
  return options;
}

template <class F>
void tried(F call) {
  try {
    call();
  } catch (const unroll::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  tried([&] {
    const unroll::Table table = unroll::parse_csv(text, "fuzz", options_of(data[0], data[1]));
    const auto names = table.column_names();
    for (const std::string& name : names) {
      tried([&] { static_cast<void>(table.column(name)); });
      tried([&] { static_cast<void>(unroll::infer_step(table.dates(name))); });
      tried([&] { static_cast<void>(table.text(name)); });
    }
    tried([&] { static_cast<void>(table.complete(names).rows()); });
  });
  return 0;
}
