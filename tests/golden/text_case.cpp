// text/: tokenizers, words, padding, skipgrams, windows of series, classes.
#include <map>

#include "tests/golden/cases.h"
#include "tests/golden/options.h"
#include "unroll/error.h"
#include "unroll/sequences.h"
#include "unroll/text_json.h"

namespace unroll::golden {

namespace {

/// Functions of the C library differ in their last bits.
constexpr Tolerance last_bits{.relative = 1e-14};

Side side_of(const Json& kwargs, const char* name) {
  return kwargs.value(name, "pre") == "post" ? SideKind::post : SideKind::pre;
}

// --- tokenizers ---

TokenizerOptions tokenizer_options(const Json& kwargs) {
  TokenizerOptions options;
  OptionReader reader(kwargs);
  reader.field("num_words", options.num_words);
  reader.field("filters", options.filters);
  reader.field("lower", options.lower);
  reader.field("split", options.split);
  reader.field("char_level", options.char_level);
  reader.field("oov_token", options.oov_token);
  reader.expect_all_read("Tokenizer");
  return options;
}

/// Calls use(texts) for each text, a string or a list of words.
template <class F>
void each_text(const Json& texts, F use) {
  for (const Json& text : texts) {
    if (text.is_array()) {
      const std::vector<std::vector<std::string>> lists(1, text.get<std::vector<std::string>>());
      use(Texts(lists));
    } else {
      const std::vector<std::string> strings(1, text.get<std::string>());
      use(Texts(strings));
    }
  }
}

void fit(Tokenizer& tokenizer, const Json& texts) {
  each_text(texts, [&](const Texts& one) { tokenizer.fit_on_texts(one); });
}

Sequences sequences_of(const Tokenizer& tokenizer, const Json& texts) {
  Sequences result;
  each_text(texts,
            [&](const Texts& one) { result.push_back(tokenizer.texts_to_sequences(one).at(0)); });
  return result;
}

Json list_of(const WordNumbers& words) {
  Json result = Json::array();
  for (const auto& [word, number] : words) result.push_back(Json::array({word, number}));
  return result;
}

/// Without an order, as these dictionaries have none.
std::map<std::string, Index> dictionary(const Json& object) {
  return object.get<std::map<std::string, Index>>();
}

std::map<std::string, Index> dictionary(const WordNumbers& words) {
  std::map<std::string, Index> result;
  for (const auto& [word, number] : words) result[std::string(word)] = number;
  return result;
}

void expect(Comparison& comparison, const std::string& what, const Json& got, const Json& want) {
  comparison.same(what, got.dump(), want.dump());
}

/// Both texts are the same but for the order in word_docs and index_docs.
void compare_json(const std::string& got, const std::string& want, Comparison& comparison) {
  expect(comparison, "length of to_json", got.size(), want.size());
  Json ours = Json::parse(got), theirs = Json::parse(want);
  for (const char* name : {"word_docs", "index_docs"}) {
    const auto inside = [name](const Json& whole) {
      return dictionary(Json::parse(whole.at("config").at(name).get<std::string>()));
    };
    expect(comparison, name, inside(ours), inside(theirs));
    ours["config"][name] = theirs["config"][name] = "";
  }
  expect(comparison, "to_json", ours, theirs);
}

void compare_fitted(const Json& spec, const Tokenizer& tokenizer, Comparison& comparison) {
  expect(comparison, "document_count", tokenizer.document_count(), spec.at("document_count"));
  expect(comparison, "word_counts", list_of(tokenizer.word_counts()), spec.at("word_counts"));
  expect(comparison, "word_index", list_of(tokenizer.word_index()), spec.at("word_index"));
  expect(comparison, "word_docs", dictionary(tokenizer.word_docs()),
         dictionary(spec.at("word_docs")));
  std::map<std::string, Index> index_docs;
  for (const auto& [number, documents] : tokenizer.index_docs()) {
    index_docs[std::to_string(number)] = documents;
  }
  expect(comparison, "index_docs", index_docs, dictionary(spec.at("index_docs")));
}

MatrixMode mode_of(const std::string& name) {
  const std::map<std::string, MatrixModeKind> modes{{"binary", MatrixModeKind::binary},
                                                    {"count", MatrixModeKind::count},
                                                    {"freq", MatrixModeKind::freq},
                                                    {"tfidf", MatrixModeKind::tfidf}};
  return modes.at(name);
}

void compare_results(const Json& spec, const Tokenizer& tokenizer, Comparison& comparison) {
  const Sequences sequences = sequences_of(tokenizer, spec.at("texts"));
  expect(comparison, "texts_to_sequences", sequences, spec.at("texts_to_sequences"));
  expect(comparison, "sequences_to_texts", tokenizer.sequences_to_texts(sequences),
         spec.at("sequences_to_texts"));
  if (spec.contains("sequences")) {
    const auto given = spec.at("sequences").get<Sequences>();
    expect(comparison, "sequences_to_texts_extra", tokenizer.sequences_to_texts(given),
           spec.at("sequences_to_texts_extra"));
    comparison.equal("sequences_to_matrix",
                     tokenizer.sequences_to_matrix(given, "count", DType::float64),
                     tensor_of(spec.at("sequences_to_matrix_count")));
  }
  const Json modes = spec.value("texts_to_matrix", Json::object());
  for (const auto& [mode, want] : modes.items()) {
    comparison.close(mode, tokenizer.sequences_to_matrix(sequences, mode_of(mode), DType::float64),
                     tensor_of(want), last_bits);
  }
}

void run_tokenizer(const Json& spec, Comparison& comparison) {
  Tokenizer tokenizer(tokenizer_options(spec.at("kwargs")));
  fit(tokenizer, spec.at("fit_on_texts"));
  if (spec.contains("second_fit_on_texts")) fit(tokenizer, spec.at("second_fit_on_texts"));
  const auto recorded = spec.at("to_json").get<std::string>();
  // What was fitted, and what is read from Keras's text, do the same.
  const Tokenizer read = tokenizer_from_json(recorded);
  for (const Tokenizer* each : std::initializer_list<const Tokenizer*>{&tokenizer, &read}) {
    compare_fitted(spec, *each, comparison);
    compare_results(spec, *each, comparison);
    compare_json(to_json(*each), recorded, comparison);
  }
}

void run_words(const Json& spec, Comparison& comparison) {
  TextToWordSequenceOptions options;
  OptionReader reader(spec.at("kwargs"));
  reader.field("filters", options.filters);
  reader.field("lower", options.lower);
  reader.field("split", options.split);
  reader.expect_all_read("text_to_word_sequence");
  expect(comparison, "words", text_to_word_sequence(spec.at("text").get<std::string>(), options),
         spec.at("result"));
}

// --- sequences ---

bool has_fractions(const Json& sequences) {
  for (const Json& sequence : sequences) {
    for (const Json& step : sequence) {
      if (step.is_number_float()) return true;
    }
  }
  return false;
}

Tensor padded(const Json& sequences, const PadSequencesOptions& options) {
  if (!sequences.at(0).empty() && sequences.at(0).at(0).is_array()) {
    std::vector<Tensor> tensors;
    for (const Json& sequence : sequences) tensors.push_back(tensor_of(sequence, DType::int32));
    return pad_sequences(tensors, options);
  }
  if (has_fractions(sequences)) {
    return pad_sequences(sequences.get<std::vector<std::vector<double>>>(), options);
  }
  return pad_sequences(sequences.get<Sequences>(), options);
}

void run_padding(const Json& spec, Comparison& comparison) {
  const Json& kwargs = spec.at("kwargs");
  PadSequencesOptions options{.padding = side_of(kwargs, "padding"),
                              .truncating = side_of(kwargs, "truncating")};
  if (kwargs.contains("maxlen")) options.maxlen = kwargs.at("maxlen").get<Index>();
  options.value = kwargs.value("value", 0.0);
  options.dtype = spec.at("dtype") == "float32" ? DType::float32 : DType::int32;
  const Tensor want =
      tensor_of(spec.at("result"), options.dtype).reshape(shape_of(spec.at("shape")));
  const Tensor got = padded(spec.at("sequences"), options);
  // A tensor may be without numbers; it has a shape all the same.
  comparison.same("shape", got.describe(), want.describe());
  comparison.equal("padded", got, want);
}

void run_skipgrams(const Json& spec, Comparison& comparison) {
  SkipgramsOptions options;
  OptionReader reader(spec.at("kwargs"));
  reader.field("window_size", options.window_size);
  reader.field("negative_samples", options.negative_samples);
  reader.field("shuffle", options.shuffle);
  reader.field("categorical", options.categorical);
  reader.expect_all_read("skipgrams");
  const Skipgrams got = skipgrams(spec.at("sequence").get<std::vector<std::int32_t>>(),
                                  spec.at("vocabulary_size").get<Index>(), options);
  comparison.equal("couples", got.couples, tensor_of(spec.at("couples"), DType::int32));
  comparison.equal("labels", got.labels, tensor_of(spec.at("labels"), DType::int32));
}

void run_sampling_table(const Json& spec, Comparison& comparison) {
  const auto got =
      make_sampling_table(spec.at("size").get<Index>(), spec.at("sampling_factor").get<double>());
  comparison.close("table", Tensor::of<double>({static_cast<Index>(got.size())}, got),
                   tensor_of(spec.at("result")), last_bits);
}

void run_classes(const Json& spec, Comparison& comparison) {
  const Tensor got =
      to_categorical(tensor_of(spec.at("x")), spec.at("kwargs").value("num_classes", Index{0}));
  comparison.equal("classes", got, tensor_of(spec.at("result"), DType::float32));
}

// --- windows ---

void run_generator(const Json& spec, Comparison& comparison) {
  TimeseriesGeneratorOptions options{.length = 1};
  OptionReader reader(spec.at("kwargs"));
  reader.field("length", options.length);
  reader.field("sampling_rate", options.sampling_rate);
  reader.field("stride", options.stride);
  reader.field("start_index", options.start_index);
  reader.field("end_index", options.end_index);
  reader.field("reverse", options.reverse);
  reader.field("batch_size", options.batch_size);
  reader.expect_all_read("TimeseriesGenerator");
  const auto made = [&] {
    return TimeseriesGenerator(tensor_of(spec.at("data")), tensor_of(spec.at("targets")), options);
  };
  if (spec.contains("raises")) {
    try {
      made();
    } catch (const Error&) {
      return expect(comparison, "raises", "ValueError", spec.at("raises"));
    }
    return comparison.fail("was not refused");
  }
  const TimeseriesGenerator generator = made();
  expect(comparison, "len", generator.size(), spec.at("len"));
  for (Index i = 0; i < generator.size(); ++i) {
    const Json& want = spec.at("batches").at(static_cast<std::size_t>(i));
    comparison.equal("x", generator[i].x.tensor(), tensor_of(want.at("x")));
    comparison.equal("y", generator[i].y.tensor(), tensor_of(want.at("y")));
  }
}

void run_dataset(const Json& spec, Comparison& comparison) {
  const Json& kwargs = spec.at("kwargs");
  TimeseriesDatasetOptions options{.sequence_length = 1};
  OptionReader reader(kwargs);
  reader.field("sequence_length", options.sequence_length);
  reader.field("sequence_stride", options.sequence_stride);
  reader.field("sampling_rate", options.sampling_rate);
  reader.field("start_index", options.start_index);
  reader.field("end_index", options.end_index);
  reader.field("batch_size", options.batch_size);
  reader.expect_all_read("timeseries_dataset_from_array");
  const bool unbatched = kwargs.contains("batch_size") && kwargs.at("batch_size").is_null();
  if (unbatched) options.batch_size = std::nullopt;
  std::optional<Tensor> targets;
  if (!spec.at("targets").is_null()) targets = tensor_of(spec.at("targets"));
  const auto dataset = timeseries_dataset_from_array(tensor_of(spec.at("data")), targets, options);
  // Without batches, the windows are listed one by one.
  const Json batches = unbatched ? Json::array({spec.at("batches_x")}) : spec.at("batches_x");
  expect(comparison, "batches", dataset.size(), batches.size());
  for (Index i = 0; i < dataset.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    comparison.equal("x", dataset[i].x.tensor(), tensor_of(batches.at(at)));
    if (!targets) continue;
    comparison.equal("y", dataset[i].y.tensor(), tensor_of(spec.at("batches_y").at(at)));
  }
}

/// What a file's "kind" is, which list in it, as what its cases are shown.
struct Kind {
  const char* name;
  const char* list;
  const char* shown;
  void (*run)(const Json&, Comparison&);
};
constexpr Kind kinds[] = {
    {"tokenizer", "cases", "tokenizer", run_tokenizer},
    {"text_to_word_sequence", "cases", "text_to_word_sequence", run_words},
    {"pad_sequences", "cases", "pad_sequences", run_padding},
    {"skipgrams", "cases", "skipgrams", run_skipgrams},
    {"skipgrams", "make_sampling_table", "make_sampling_table", run_sampling_table},
    {"to_categorical", "cases", "to_categorical", run_classes},
    {"TimeseriesGenerator", "cases", "timeseries_generator", run_generator},
    {"timeseries_dataset_from_array", "cases", "timeseries_dataset_from_array", run_dataset}};

void run_list(const Kind& kind, const Json& list, const std::string& only, Report& report) {
  std::size_t number = 0;
  for (const Json& spec : list) {
    const std::string own = spec.value("name", std::to_string(number++));
    const std::string name = "text/" + std::string(kind.shown) + "/" + own;
    if (name.find(only) == std::string::npos) continue;
    report.run(name, [&](Comparison& comparison) { kind.run(spec, comparison); });
  }
}

}  // namespace

void run_texts(const Json& whole, const std::string& only, Report& report) {
  const auto name = whole.at("kind").get<std::string>();
  for (const Kind& kind : kinds) {
    if (name == kind.name && whole.contains(kind.list)) {
      run_list(kind, whole.at(kind.list), only, report);
    }
  }
}

}  // namespace unroll::golden
