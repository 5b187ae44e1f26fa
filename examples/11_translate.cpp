// Translation: an encoder, a decoder that attends to it, and what it does on its own words.
#include <array>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

namespace {

struct Word {
  const char *german, *english;
};
constexpr std::array<Word, 4> who{{{"Ich habe", "I have"},
                                   {"Sie hat", "She has"},
                                   {"Wir haben", "We have"},
                                   {"Die Kinder haben", "The children have"}}};
constexpr std::array<Word, 5> how{{{"roten", "red"},
                                   {"alten", "old"},
                                   {"kleinen", "small"},
                                   {"schweren", "heavy"},
                                   {"neuen", "new"}}};
constexpr std::array<Word, 6> what{{{"Ball", "ball"},
                                    {"Hut", "hat"},
                                    {"Tisch", "table"},
                                    {"Hund", "dog"},
                                    {"Koffer", "suitcase"},
                                    {"Baum", "tree"}}};
constexpr std::array<Word, 5> did{{{"gesehen", "seen"},
                                   {"gekauft", "bought"},
                                   {"gefunden", "found"},
                                   {"vergessen", "forgotten"},
                                   {"gemalt", "painted"}}};

/// German has the verb at the end: "Ich habe den roten Ball gesehen."
void add(ParallelTexts& texts, std::size_t i) {
  const Word &s = who[i % 4], &a = how[i / 4 % 5], &o = what[i / 20 % 6], &v = did[i / 120];
  texts.source.push_back(std::string(s.german) + " den " + a.german + " " + o.german + " " +
                         v.german + ".");
  texts.target.push_back(std::string(s.english) + " " + v.english + " the " + a.english + " " +
                         o.english + ".");
}

}  // namespace

int main() {
  TranslationData data;
  for (std::size_t i = 0; i < 600; ++i) {
    // Neighbours differ in who; 7 is prime to 600, so every part has every word.
    const std::size_t at = i * 7 % 600;
    add(i < 500 ? data.train : i < 550 ? data.validation : data.test, at);
  }
  TranslationOptions options{.tokens = "words",
                             .vocabulary = 0,
                             .min_count = 1,
                             .joint = false,
                             .model = {.units = 32, .embedding = 24, .dropout = 0.1},
                             .training = {.batch_size = 16, .epochs = 8, .learning_rate = 0.01}};
  const Translated done = train_translator(data, options);

  // Forced, every input is the true word; BLEU is of what the model says by itself.
  const History& history = done.report.fit.history;
  for (std::size_t epoch = 0; epoch < history.epochs(); ++epoch) {
    std::cout << "epoch " << epoch + 1 << "  forced loss " << history["val_loss"][epoch]
              << "  BLEU on its own words " << history["val_bleu"][epoch] << "\n";
  }
  for (const TranslationScore& score : done.report.scores) {
    std::cout << score.label << ": BLEU " << score.bleu.score << ", exact " << 100 * score.exact
              << " %\n";
  }

  // Several translations, best first, and what was looked at for each word.
  const auto found = done.translator.translate({"Sie hat den alten Hund gemalt."},
                                               {.beam = 5, .n_best = 2, .attention = true})[0];
  for (const Translation& one : found) std::cout << one.score << "  " << one.text << "\n";
  const Tensor& looked_at = found[0].attention;
  std::cout << HeatMap({.values = looked_at, .columns = found[0].read, .rows = found[0].written})
                   .text(78, 20);
  return done.report.scores[0].exact >= 0.9 ? 0 : 1;  // of sentences it has not seen
}
