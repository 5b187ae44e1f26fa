// Words from a network and an n-gram.
#include "unroll/complete.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "src/tasks/options.h"
#include "src/tasks/words.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll {

namespace {

using Ids = std::span<const std::int32_t>;

/// What a network that has read more than this remembers of the beginning is not worth the time.
constexpr std::size_t most_read = 256;
constexpr std::string_view blank_mark = "\u2581";

/// weight softmax(logits) + (1 - weight) q
std::vector<double> mixed(std::span<const float> logits, std::vector<double> q, double weight) {
  const float highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - highest));
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double p = static_cast<double>(std::exp(logits[i] - highest)) / sum;
    q[i] = weight * p + (1 - weight) * q[i];
  }
  return q;
}

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
         byte >= 0x80;
}
bool is_word(std::string_view piece) {
  return !piece.empty() && is_word_byte(piece[0]) && is_word_byte(piece.back());
}

/// Whether a piece may stand within a word: "know" and "'t" are one.
bool is_within_word(std::string_view piece) {
  return std::all_of(piece.begin(), piece.end(),
                     [](char c) { return is_word_byte(c) || c == '\''; });
}

/// The word at the end of a text that is being written.
std::string_view open_word(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && (is_word_byte(text[begin - 1]) ||
                       (text[begin - 1] == '\'' && begin > 1 && is_word_byte(text[begin - 2])))) {
    --begin;
  }
  return text.substr(begin);
}

std::vector<Suggestion> best(std::vector<Suggestion> all, Index count) {
  double sum = 0;
  for (const Suggestion& one : all) sum += one.probability;
  const auto kept = std::min(all.size(), static_cast<std::size_t>(count));
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [](const Suggestion& a, const Suggestion& b) {
                      return a.probability > b.probability ||
                             (a.probability == b.probability && a.word < b.word);
                    });
  all.resize(kept);
  for (Suggestion& one : all) one.probability /= sum;
  return all;
}

}  // namespace

Completer::Completer(LanguageModel model, TextEncoder encoder, Ngram ngram, double weight)
    : model_(std::move(model)),
      encoder_(std::move(encoder)),
      ngram_(std::move(ngram)),
      weight_(weight),
      reader_(model_) {
  tasks::check_number("Completer", "weight", weight, weight >= 0 && weight <= 1, "from 0 to 1");
  if (encoder_.size() != model_.vocabulary() || ngram_.vocabulary() != model_.vocabulary()) {
    throw Error(ErrorKind::value, "Completer: the vocabularies are not of one size",
                {.got = std::to_string(model_.vocabulary()) + " of the network, " +
                        std::to_string(encoder_.size()) + " of the encoder, " +
                        std::to_string(ngram_.vocabulary()) + " of the n-gram"});
  }
  if (encoder_.kind() == TextEncoderKind::characters) {
    throw Error(ErrorKind::value, "Completer: an encoder of characters",
                {.want = "one of words or subwords"});
  }
}

/// Probabilities of what follows; only what is new is read.
std::vector<double> Completer::next(Ids ids) {
  const bool goes_on = ids.size() >= read_.size() && !read_.empty() &&
                       std::equal(read_.begin(), read_.end(), ids.begin());
  if (!goes_on) {
    reader_.reset();
    read_.clear();
    ids = ids.last(std::min(ids.size(), most_read));
  }
  for (const std::int32_t id : ids.subspan(read_.size())) {
    const auto logits = reader_.read(id);
    logits_.assign(logits.begin(), logits.end());
    read_.push_back(id);
  }
  return mixed(logits_, ngram_.distribution(ids), weight_);
}

std::vector<Suggestion> Completer::suggest(std::string_view text, Index count) {
  text::check_utf8(text, [] { return std::string("the text"); });
  const std::string_view prefix = open_word(text);
  std::string before(text.substr(0, text.size() - prefix.size()));
  // The blank belongs to the word that comes.
  while (before.ends_with(' ')) before.pop_back();
  std::vector<std::int32_t> ids = encoder_.encode(before.empty() ? "\n" : before);
  if (ids.empty()) return {};
  return best(
      encoder_.kind() == TextEncoderKind::words ? words(ids, prefix) : joined_subwords(ids, prefix),
      count);
}

std::vector<Suggestion> Completer::words(Ids ids, std::string_view prefix) {
  const std::vector<double> p = next(ids);
  std::vector<Suggestion> all;
  for (Index id = 0; id < encoder_.size(); ++id) {
    const std::string_view piece = encoder_.piece(id);
    if (!is_word(piece) || !piece.starts_with(prefix)) continue;
    all.push_back({std::string(piece), p[static_cast<std::size_t>(id)]});
  }
  return all;
}

/// The same for each of several continuations of one length.
std::vector<std::vector<double>> Completer::next_of(Ids ids,
                                                    const std::vector<Beginning>& beginnings) {
  const Ids context = ids.last(std::min<std::size_t>(ids.size(), 64));
  const auto rows = static_cast<Index>(beginnings.size());
  const auto steps = static_cast<Index>(context.size() + beginnings[0].ids.size());
  Tensor x({rows, steps}, DType::int32);
  std::int32_t* to = x.values<std::int32_t>().data();
  for (const Beginning& beginning : beginnings) {
    to = std::copy(context.begin(), context.end(), to);
    to = std::copy(beginning.ids.begin(), beginning.ids.end(), to);
  }
  Session session;
  const Tensor logits = model_.model().predict(session, x, {.batch_size = rows});
  std::vector<std::vector<double>> result;
  for (Index r = 0; r < rows; ++r) {
    const auto size = static_cast<std::size_t>(model_.vocabulary());
    const float* last = logits.floats() + ((r + 1) * steps - 1) * model_.vocabulary();
    const auto read = x.values<std::int32_t>().subspan(static_cast<std::size_t>(r * steps),
                                                       static_cast<std::size_t>(steps));
    result.push_back(mixed({last, size}, ngram_.distribution(read), weight_));
  }
  return result;
}

std::vector<Suggestion> Completer::joined_subwords(Ids ids, std::string_view prefix) {
  constexpr std::size_t width = 16, rounds = 32;
  constexpr double little = 1e-3;  // of what was found: whatever still goes on changes nothing
  double found = 0;
  std::map<std::string, double> words;
  std::vector<Beginning> beginnings{Beginning{}};
  for (std::size_t round = 0; round < rounds && !beginnings.empty(); ++round) {
    const auto next = next_of(ids, beginnings);
    std::vector<Beginning> longer;
    for (std::size_t b = 0; b < beginnings.size(); ++b) {
      const Beginning& from = beginnings[b];
      double ends = 0;
      for (Index id = 0; id < encoder_.size(); ++id) {
        const double p = next[b][static_cast<std::size_t>(id)];
        std::string_view piece = encoder_.piece(id);
        const bool begins = piece.starts_with(blank_mark);
        if (begins) piece.remove_prefix(blank_mark.size());
        // The mark of a blank may be a piece of its own.
        const bool goes_on =
            begins == (round == 0) && (begins || !piece.empty()) && is_within_word(piece);
        if (!goes_on) {
          ends += p;
          continue;
        }
        std::string word = from.word + std::string(piece);
        const std::size_t common = std::min(word.size(), prefix.size());
        if (word.compare(0, common, prefix.substr(0, common)) != 0) continue;
        Beginning more{from.ids, std::move(word), from.probability * p};
        more.ids.push_back(static_cast<std::int32_t>(id));
        longer.push_back(std::move(more));
      }
      if (round > 0 && from.word.size() >= prefix.size() && is_word(from.word)) {
        words[from.word] += from.probability * ends;
        found += from.probability * ends;
      }
    }
    const auto kept = std::min(width, longer.size());
    std::partial_sort(longer.begin(), longer.begin() + static_cast<std::ptrdiff_t>(kept),
                      longer.end(), [](const Beginning& a, const Beginning& b) {
                        return a.probability > b.probability ||
                               (a.probability == b.probability && a.word < b.word);
                      });
    longer.resize(kept);
    beginnings = std::move(longer);
    double left = 0;
    for (const Beginning& one : beginnings) left += one.probability;
    if (left < little * found) break;
  }
  std::vector<Suggestion> all;
  for (const auto& [word, probability] : words) all.push_back({word, probability});
  return all;
}

// --- how well ---

namespace {

/// Sums over the tokens of one way to foretell.
struct Tally {
  double nats = 0;
  std::array<Index, 3> right{};
  Index tokens = 0;

  /// `allowed`: the ids that are suggested.
  void add(std::span<const double> p, std::size_t id, const std::vector<bool>& allowed) {
    ++tokens;
    nats -= std::log(p[id]);
    if (!allowed[id]) return;
    Index before = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      before += allowed[i] && (p[i] > p[id] || (p[i] == p[id] && i < id));
    }
    for (std::size_t k = 0; k < right.size(); ++k) right[k] += before < accuracy_ranks[k];
  }
  CompletionScore score() const {
    CompletionScore score{.score = {.nats = nats / static_cast<double>(tokens), .tokens = tokens}};
    for (std::size_t k = 0; k < right.size(); ++k) {
      score.accuracy[k] = static_cast<double>(right[k]) / static_cast<double>(tokens);
    }
    return score;
  }
};

}  // namespace

CompletionReport evaluate(const LanguageModel& model, const TextEncoder& encoder,
                          const Ngram& ngram, double weight, Ids ids, Index first) {
  std::vector<bool> allowed(static_cast<std::size_t>(encoder.size()), true);
  for (const auto& id : {encoder.padding(), encoder.unknown(), encoder.begin(), encoder.end()}) {
    if (id) allowed[static_cast<std::size_t>(*id)] = false;
  }
  Tally network, counts, together;
  model.foretell(ids, first, [&](Index i, std::span<const float> logits) {
    const auto id = static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    const std::vector<double> q = ngram.distribution(ids.first(static_cast<std::size_t>(i)));
    const std::vector<double> p = mixed(logits, q, 1);
    std::vector<double> mix(p.size());
    for (std::size_t k = 0; k < p.size(); ++k) mix[k] = weight * p[k] + (1 - weight) * q[k];
    network.add(p, id, allowed);
    counts.add(q, id, allowed);
    together.add(mix, id, allowed);
  });
  return {.network = network.score(),
          .ngram = counts.score(),
          .together = together.score(),
          .weight = weight};
}

}  // namespace unroll
