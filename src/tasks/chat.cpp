#include "unroll/chat.h"

#include <algorithm>
#include <numeric>

#include "src/base/random.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr std::uint64_t stream = 0x63686174;  // "chat": apart from what training draws

void add_pairs(const Dialogue& lines, ParallelTexts& texts) {
  Dialogue before;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string& question = lines[i - 1];
    texts.source.push_back(in_context(before, question));
    texts.target.push_back(lines[i]);
    if (!before.empty()) {
      texts.source.push_back(question);
      texts.target.push_back(lines[i]);
    }
    before.push_back(question);
  }
}

}  // namespace

std::string in_context(const Dialogue& before, const std::string& question) {
  std::string text;
  for (std::size_t i = before.size() - std::min<std::size_t>(before.size(), 2); i < before.size();
       ++i) {
    text += before[i] + "\n";
  }
  return text + question;
}

TranslationData chat_data(const std::vector<Dialogue>& dialogues, std::uint64_t seed) {
  if (dialogues.size() < 3) {
    throw Error(ErrorKind::value, "chat: too few dialogues",
                {.got = std::to_string(dialogues.size()),
                 .want = "at least 3: to learn from, to validate, to test"});
  }
  std::vector<std::size_t> order(dialogues.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const base::Random random(seed, stream);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i],
              order[static_cast<std::size_t>(random.below(static_cast<Index>(i) + 1, i))]);
  }
  const std::size_t kept = std::max<std::size_t>(1, dialogues.size() / 10);
  TranslationData data;
  for (std::size_t i = 0; i < order.size(); ++i) {
    add_pairs(dialogues[order[i]], i < kept       ? data.test
                                   : i < 2 * kept ? data.validation
                                                  : data.train);
  }
  return data;
}

Conversation::Conversation(const Translator& translator, const DecodeOptions& options)
    : translator_(translator), options_(options) {}

std::string Conversation::answer(const std::string& line) {
  if (line.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw Error(ErrorKind::value, "nothing was said", {.want = "a line with a word"});
  }
  DecodeOptions options = options_;
  // Another answer each time, where answers are drawn.
  options.sampling.seed += lines_.size();
  const std::string said = translator_.best({in_context(lines_, line)}, options)[0];
  lines_.push_back(line);
  lines_.push_back(said);
  return said;
}

}  // namespace unroll
