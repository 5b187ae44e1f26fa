#include "tests/golden/options.h"

namespace unroll::golden {

LearningRate rate_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  const Json kwargs = value.value("kwargs", value.value("config", Json::object()));
  Schedule schedule = parse_or_skip(parse_schedule, value.at("class_name").get<std::string>());
  LearningRate result = 0;
  std::visit(
      [&]<class S>(S& options) {
        if constexpr (!std::is_same_v<S, double>) {
          OptionReader reader(kwargs);
          options.describe(reader);
          reader.expect_all_read(S::class_name);
          result = options;
        }
      },
      schedule);
  return result;
}

}  // namespace unroll::golden
