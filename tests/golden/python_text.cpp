#include "tests/golden/python_text.h"

#include <cctype>
#include <map>

#include "tests/golden/report.h"

namespace unroll::golden {

namespace {

class Reader {
 public:
  Reader(const std::string& text, std::size_t at) : text_(text), at_(at) {}

  Json expression() {
    skip_blanks();
    const char c = peek();
    if (c == '[' || c == '(') return list(c == '[' ? ']' : ')');
    if (c == '"' || c == '\'') return string();
    if (c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
    const std::string word = name();
    if (word == "True" || word == "False") return word == "True";
    if (word == "None") return nullptr;
    if (peek() != '(') throw std::runtime_error("what is " + word + "?");
    return call(word);
  }
  std::size_t at() const { return at_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (peek() == ' ') ++at_;
  }
  /// Whether c comes next; then it is taken.
  bool take(char c) {
    skip_blanks();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Json list(char closing) {
    Json items = Json::array();
    ++at_;
    while (!take(closing)) {
      items.push_back(expression());
      if (!take(',') && peek() != closing) throw std::runtime_error("a list without end: " + text_);
    }
    return items;
  }

  Json call(const std::string& word) {
    Json made{{"call", word}, {"args", Json::array()}, {"kwargs", Json::object()}};
    ++at_;
    while (!take(')')) {
      skip_blanks();
      const std::size_t before = at_;
      const bool named = std::isalpha(static_cast<unsigned char>(peek())) != 0;
      const std::string argument = named ? name() : "";
      if (named && take('=')) {
        made["kwargs"][argument] = expression();
      } else {
        at_ = before;
        made["args"].push_back(expression());
      }
      if (!take(',') && peek() != ')') throw std::runtime_error("a call without end: " + text_);
    }
    return made;
  }

  std::string name() {
    std::string word;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_') {
      word += text_[at_++];
    }
    if (word.empty()) throw std::runtime_error("not a description of a model: " + text_);
    return word;
  }

  Json string() {
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string::npos) throw std::runtime_error("a string without end: " + text_);
    const std::string inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }

  Json number() {
    std::size_t used = 0;
    const std::string rest = text_.substr(at_, 32);
    const double value = std::stod(rest, &used);
    const bool whole = rest.substr(0, used).find_first_of(".e") == std::string::npos;
    at_ += used;
    return whole ? Json(static_cast<Index>(value)) : Json(value);
  }

  const std::string& text_;
  std::size_t at_;
};

}  // namespace

Json read_python(const std::string& text, std::size_t& end) {
  Reader reader(text, end);
  Json made = reader.expression();
  end = reader.at();
  return made;
}

Json layer_of_call(const Json& call) {
  using Names = std::vector<std::string>;
  static const std::map<std::string, Names> positional{
      {"Dense", {"units", "activation"}},
      {"SimpleRNN", {"units", "activation"}},
      {"GRU", {"units", "activation"}},
      {"LSTM", {"units", "activation"}},
      {"SimpleRNNCell", {"units"}},
      {"GRUCell", {"units"}},
      {"LSTMCell", {"units"}},
      {"RNN", {"cell"}},
      {"Embedding", {"input_dim", "output_dim"}},
      {"Bidirectional", {"layer", "merge_mode"}},
      {"TimeDistributed", {"layer"}},
      {"Dropout", {"rate"}},
      {"SpatialDropout1D", {"rate"}},
      {"GaussianNoise", {"stddev"}},
      {"Activation", {"activation"}},
      {"RepeatVector", {"n"}},
      {"Reshape", {"target_shape"}},
      {"Permute", {"dims"}},
      {"Masking", {"mask_value"}},
      {"Conv1D", {"filters", "kernel_size"}},
      {"Conv2D", {"filters", "kernel_size"}},
      {"Conv2DTranspose", {"filters", "kernel_size"}},
      {"ConvLSTM1D", {"filters", "kernel_size"}},
      {"ConvLSTM2D", {"filters", "kernel_size"}},
      {"MaxPooling1D", {"pool_size"}},
      {"AveragePooling1D", {"pool_size"}},
      {"MaxPooling2D", {"pool_size"}},
      {"AveragePooling2D", {"pool_size"}},
      {"UpSampling1D", {"size"}},
      {"ZeroPadding1D", {"padding"}},
  };
  const auto class_name = call.at("call").get<std::string>();
  Json kwargs = call.at("kwargs");
  const Json& args = call.at("args");
  const auto names = positional.find(class_name);
  if (!args.empty() && (names == positional.end() || args.size() > names->second.size())) {
    throw Skip("no names for the arguments of " + class_name);
  }
  for (std::size_t i = 0; i < args.size(); ++i) kwargs[names->second[i]] = args[i];
  for (auto& [name, value] : kwargs.items()) {
    if (value.is_object() && value.contains("call")) value = layer_of_call(value);
  }
  return {{"class_name", class_name}, {"kwargs", kwargs}};
}

}  // namespace unroll::golden
