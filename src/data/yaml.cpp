// The one file that knows yaml-cpp.
#include "src/data/yaml.h"

#include "unroll/error.h"

#ifdef UNROLL_HAVE_YAML
#include <yaml-cpp/yaml.h>
#endif

namespace unroll::data {

#ifdef UNROLL_HAVE_YAML

namespace {

/// More than anybody's corpus, and less than aliases of aliases can unfold to.
constexpr std::size_t most_lines = 10'000'000;

std::vector<std::vector<std::string>> lists_of(const YAML::Node& list, const std::string& name) {
  std::vector<std::vector<std::string>> result;
  std::size_t lines = 0;
  for (const YAML::Node& inner : list) {
    if (!inner.IsSequence()) continue;
    std::vector<std::string> texts;
    for (const YAML::Node& text : inner) {
      if (text.IsScalar()) texts.push_back(text.Scalar());
    }
    lines += texts.size();
    if (lines > most_lines) {
      throw Error(ErrorKind::format, name + ": too many lines",
                  {.want = "at most " + std::to_string(most_lines)});
    }
    result.push_back(std::move(texts));
  }
  return result;
}

}  // namespace

std::vector<std::vector<std::string>> yaml_lists(std::string_view bytes, const std::string& key,
                                                 const std::string& name) {
  try {
    const YAML::Node root = YAML::Load(std::string(bytes));
    const YAML::Node list = root.IsMap() ? root[key] : YAML::Node();
    if (root.IsMap() && list && list.IsSequence()) return lists_of(list, name);
  } catch (const YAML::Exception& error) {
    throw Error(
        ErrorKind::format, name + ": not YAML",
        {.got = error.msg +
                (error.mark.is_null() ? "" : ", line " + std::to_string(error.mark.line + 1))});
  }
  throw Error(ErrorKind::format, name + ": no " + key,
              {.want = "a map with a list \"" + key + "\" of lists of texts"});
}

#else

std::vector<std::vector<std::string>> yaml_lists(std::string_view, const std::string&,
                                                 const std::string& name) {
  throw Error(ErrorKind::unsupported, name + ": unroll was built without yaml-cpp",
              {.hint = "write the dialogues as TSV: a dialogue a line, tabs between what is said"});
}

#endif

}  // namespace unroll::data
