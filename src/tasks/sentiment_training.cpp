// How sentiment models are trained: the lesson's protocol, and the one that is worth having.
#include <algorithm>
#include <cmath>

#include "src/tasks/options.h"
#include "src/tasks/review_words.h"
#include "src/tasks/sentiment_network.h"
#include "src/tasks/shuffle.h"
#include "unroll/callbacks.h"
#include "unroll/error.h"
#include "unroll/sequences.h"

namespace unroll {

namespace {

using tasks::NbLogistic;

constexpr Index least_texts = 2;          ///< that an n-gram is in
constexpr Index most_ngrams_seen = 2000;  ///< of one review
constexpr Index batch_of_tests = 128;

Tensor labels_of(const std::vector<std::int32_t>& labels) {
  return IndexedPart{.y = labels}.labels();
}

Index count(const Reviews& reviews) { return static_cast<Index>(reviews.texts.size()); }

void check_finite(const History& history) {
  const std::vector<double>& losses = history["loss"];
  if (losses.empty() || std::isfinite(losses.back())) return;
  throw Error(ErrorKind::value, "train_sentiment: the loss is no longer finite",
              {.got = "epoch " + std::to_string(losses.size()), .hint = "a smaller learning rate"});
}

SentimentScore score_of(const std::string& name, const std::string& label, const Logs& logs) {
  return {.name = name,
          .label = label,
          .accuracy = value_of(logs, "accuracy"),
          .loss = value_of(logs, "loss")};
}

double log_of_sigmoid(double x) {
  return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
}

/// Of logits of positive reviews.
SentimentScore score_of(const std::string& name, const std::string& label,
                        const std::vector<double>& logits,
                        const std::vector<std::int32_t>& labels) {
  SentimentScore score{.name = name, .label = label};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double towards = labels[i] == 1 ? logits[i] : -logits[i];
    score.accuracy += (logits[i] > 0) == (labels[i] == 1) ? 1 : 0;
    score.loss -= log_of_sigmoid(towards);
  }
  const auto n = static_cast<double>(labels.size());
  score.accuracy /= n;
  score.loss /= n;
  return score;
}

Tensor column(const std::vector<double>& values) {
  Tensor result({static_cast<Index>(values.size()), 1});
  std::ranges::transform(values, result.floats(), [](double x) { return static_cast<float>(x); });
  return result;
}

// --- the lesson ---

constexpr double lesson_validation = 0.2;

// --- the model worth having ---

void check(const SentimentOptions& o) {
  constexpr Index most = 1'000'000'000;
  const char* const who = "train_sentiment";
  tasks::check_count(who, "words", o.words, 100, 10'000'000);
  tasks::check_count(who, "length", o.length, 1, 100'000);
  tasks::check_count(who, "embedding", o.embedding, 1, 16'384);
  tasks::check_count(who, "units", o.units, 1, 16'384);
  tasks::check_choice(who, "cell", o.cell, {"simple_rnn", "gru", "lstm"});
  for (const double rate : {o.dropout, o.embedding_dropout}) {
    tasks::check_number(who, "dropout", rate, rate >= 0 && rate < 1,
                        "a share of at least 0, below 1");
  }
  tasks::check_count(who, "epochs", o.epochs, 1, most);
  tasks::check_count(who, "patience", o.patience, 0, most);
  tasks::check_count(who, "batch_size", o.batch_size, 1, most);
  tasks::check_number(who, "learning_rate", o.learning_rate,
                      o.learning_rate > 0 && std::isfinite(o.learning_rate), "a number above 0");
  tasks::check_number(who, "validation", o.validation, o.validation > 0 && o.validation < 1,
                      "a share above 0 and below 1");
}

/// Reviews without markup, in two parts: the last ones of each label are kept apart. In the order
/// of the data set, reviews of one film stand together; drawn at random, those kept apart would be
/// of films that the model knows, as the test reviews are not.
struct Split {
  Reviews train, validation;
};
Split split(const Reviews& reviews, const SentimentOptions& options) {
  const Index all = count(reviews);
  Split result;
  for (const std::int32_t label : {0, 1}) {
    const auto with = static_cast<double>(std::ranges::count(reviews.labels, label));
    auto left = static_cast<Index>(with) - std::llround(options.validation * with);
    for (std::size_t i = 0; i < reviews.texts.size(); ++i) {
      if (reviews.labels[i] != label) continue;
      Reviews& part = left-- > 0 ? result.train : result.validation;
      part.texts.push_back(tasks::without_markup(reviews.texts[i]));
      part.labels.push_back(label);
    }
  }
  for (const Reviews* part : {&result.train, &result.validation}) {
    const auto positive = std::ranges::count(part->labels, 1);
    if (positive > 0 && positive < count(*part)) continue;
    throw Error(ErrorKind::value, "train_sentiment: too few reviews to be split",
                {.got = std::to_string(all), .want = "positive and negative ones in both parts"});
  }
  return result;
}

Sequences numbers_of(const tasks::NGrams& ngrams, const std::vector<std::string>& texts) {
  Sequences numbers;
  for (const std::string& text : texts) {
    numbers.push_back(ngrams.numbers(text));
    if (static_cast<Index>(numbers.back().size()) > most_ngrams_seen) {
      // What pad_sequences leaves of them.
      numbers.back().erase(numbers.back().begin(), numbers.back().end() - most_ngrams_seen);
    }
  }
  return numbers;
}

/// One training from reviews to a report.
class Training {
 public:
  Training(const ReviewParts& reviews, const SentimentOptions& options)
      : options_(options),
        parts_(split(reviews.train, options)),
        encoder_(TextEncoder::words(parts_.train.texts, {.size = options.words, .lower = true})),
        network_(tasks::sentiment_network(options, encoder_.size())),
        fitted_(tasks::beside_baseline(network_)) {
    for (const std::string& text : reviews.test.texts) {
      test_.texts.push_back(tasks::without_markup(text));
    }
    test_.labels = reviews.test.labels;
  }

  Sentiment run() {
    plan();
    learn_baseline();
    fit();
    SentimentModel model(tasks::joined(network_, baseline_, most_ngrams_seen, fitted_), encoder_,
                         config());
    if (!report_.interrupted) measure(model);
    return {.model = std::move(model), .report = std::move(report_)};
  }

 private:
  void plan() {
    report_.layers = "Embedding(" + std::to_string(encoder_.size()) + ", " +
                     std::to_string(options_.embedding) + ") > " + network_.label +
                     " > greatest, mean > Dense(1), beside word pairs";
    report_.train = count(parts_.train);
    report_.validation = count(parts_.validation);
    report_.test = count(test_);
    report_.parameters = fitted_.count_params();
    if (options_.planned) options_.planned(report_);
  }

  /// What is used is trained on all reviews; what the network learns beside are answers to reviews
  /// that were new to whoever gave them, as those to the test reviews will be.
  void learn_baseline() {
    std::vector<std::string> texts = parts_.train.texts;
    std::vector<std::int32_t> labels = parts_.train.labels;
    texts.insert(texts.end(), parts_.validation.texts.begin(), parts_.validation.texts.end());
    labels.insert(labels.end(), parts_.validation.labels.begin(), parts_.validation.labels.end());
    ngrams_ = tasks::NGrams(texts, least_texts);
    const Sequences numbers = numbers_of(ngrams_, texts);
    const auto border = numbers.begin() + static_cast<std::ptrdiff_t>(parts_.train.texts.size());
    const Sequences learnt(numbers.begin(), border), kept(border, numbers.end());
    const Index size = ngrams_.size();
    const std::uint64_t seed = options_.seed;
    train_odds_ = tasks::unseen_logits(learnt, parts_.train.labels, size, seed);
    validation_odds_ =
        tasks::logits(tasks::train_nb_logistic(learnt, parts_.train.labels, size, seed), kept);
    baseline_ = tasks::train_nb_logistic(numbers, labels, size, seed);
  }

  void fit() {
    fitted_.compile({.optimizer = Adam{.learning_rate = options_.learning_rate, .clipnorm = 1},
                     .loss = "binary_crossentropy",
                     .metrics = {"accuracy"},
                     .seed = options_.seed,
                     .threads = options_.threads});
    FitOptions fit{
        .batch_size = options_.batch_size,
        .epochs = options_.epochs,
        .callbacks = options_.callbacks,
        .validation_data = Validation{.x = {words(parts_.validation), column(validation_odds_)},
                                      .y = labels_of(parts_.validation.labels)},
        .progress = options_.progress};
    fit.callbacks.push_back(
        early_stopping({.patience = options_.patience, .restore_best_weights = true}));
    fit.interrupted = [this] {
      report_.interrupted = options_.interrupted && options_.interrupted();
      return report_.interrupted;
    };
    report_.history = fitted_.fit({words(parts_.train), column(train_odds_)},
                                  labels_of(parts_.train.labels), fit);
    check_finite(report_.history);
    if (report_.interrupted) return;
    const auto& losses = report_.history["val_loss"];
    report_.best_epoch = std::ranges::min_element(losses) - losses.begin();
    report_.stopped = static_cast<Index>(losses.size()) < options_.epochs;
  }

  void measure(const SentimentModel& model) {
    const std::vector<double> odds = tasks::logits(baseline_, numbers_of(ngrams_, test_.texts));
    const Logs logs = fitted_.evaluate({words(test_), column(odds)}, labels_of(test_.labels),
                                       {.batch_size = batch_of_tests});
    report_.scores = {
        score_of("model", network_.label + " beside word pairs", logs),
        score_of("nb_logistic", "naive Bayes weighted logistic regression", odds, test_.labels)};
    report_.parameters = model.model().count_params();
  }

  SentimentConfig config() const {
    SentimentConfig config{.length = options_.length, .ngram_length = most_ngrams_seen};
    for (Index i = 0; i < ngrams_.size(); ++i) config.ngrams.emplace_back(ngrams_[i]);
    return config;
  }

  Tensor words(const Reviews& reviews) const {
    return tasks::sentiment_ids(encoder_, reviews.texts, {.length = options_.length});
  }

  const SentimentOptions& options_;
  Split parts_;
  Reviews test_;
  TextEncoder encoder_;
  tasks::SentimentNetwork network_;
  Model fitted_;
  tasks::NGrams ngrams_;
  NbLogistic baseline_;
  std::vector<double> train_odds_, validation_odds_;
  SentimentReport report_;
};

}  // namespace

Sentiment train_sentiment(const ReviewParts& reviews, const SentimentOptions& options) {
  check(options);
  return Training(reviews, options).run();
}

Sentiment train_sentiment_as_in_lesson(const ReviewParts& reviews,
                                       const SentimentLessonOptions& options) {
  tasks::check_count("train_sentiment", "epochs", options.epochs, 1, 1'000'000'000);
  const IndexedReviews data = index_reviews(reviews, {.num_words = 5000, .seed = options.seed});
  Model network = tasks::lesson_sentiment();
  network.compile({.optimizer = "adam",
                   .loss = "binary_crossentropy",
                   .metrics = {"accuracy"},
                   .seed = options.seed,
                   .threads = options.threads});
  Sentiment result{.model = {network, data.encoder, {.lesson = true, .length = 100}}, .report = {}};
  SentimentReport& report = result.report;
  const Index all = static_cast<Index>(data.train.x.size());
  report.lesson = true;
  report.layers = "Embedding(5000, 32) > SimpleRNN(16) > last step > Dense(1)";
  report.parameters = network.count_params();
  report.train = static_cast<Index>(static_cast<double>(all) * (1 - lesson_validation));
  report.validation = all - report.train;
  report.test = static_cast<Index>(data.test.x.size());
  if (options.planned) options.planned(report);
  const Tensor x = pad_sequences(data.train.x, {.maxlen = 100});
  report.history = network.fit(x, data.train.labels(),
                               {.batch_size = 64,
                                .epochs = options.epochs,
                                .callbacks = options.callbacks,
                                .validation_split = lesson_validation,
                                .progress = options.progress,
                                .interrupted = [&] {
                                  report.interrupted = options.interrupted && options.interrupted();
                                  return report.interrupted;
                                }});
  check_finite(report.history);
  if (report.interrupted) return result;
  const Tensor test = pad_sequences(data.test.x, {.maxlen = 100});
  report.scores = {
      score_of("lesson", "SimpleRNN(16)",
               network.evaluate(test, data.test.labels(), {.batch_size = batch_of_tests}))};
  return result;
}

}  // namespace unroll
