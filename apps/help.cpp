// unroll help: what the words mean.
#include <algorithm>
#include <array>
#include <memory>

#include "apps/commands.h"
#include "apps/output.h"
#include "apps/spelling.h"
#include "unroll/layer_list.h"

namespace unroll::apps {

namespace {

struct Topic {
  const char* name;
  const char* about;
  const char* text;  ///< null: made when it is asked for
};

constexpr std::array<Topic, 13> topics{{
    {"persistence", "the forecast to beat, and how it is decided",
     R"("Tomorrow = today" is a forecast too: persistence. Prices, temperatures and the
like move little from one step to the next, so it is hard to beat, and a network
that has learnt nothing but to copy its last input looks good in a picture: its
curve follows the true one, a step late.

unroll forecast therefore prints

  skill    how much smaller the model's MAE is than persistence's, in per cent
  p        of the Diebold-Mariano test on the absolute errors of the two, row by
           row, two-sided, corrected for small samples (Harvey, Leybourne and
           Newbold, 1997): how often a difference this large would arise if the
           two were equally good. The model beats persistence where p < 0.05.
  lag      the correlation of the forecasts with the last value they saw, and
           with the truth. Where the first is higher and the model no better,
           the forecasts only repeat the last value, and unroll says so.

MASE is the MAE divided by the mean size of a change over the training part:
below 1, forecasts miss by less than the series moves in a step.
)"},
    {"protocol", "how a series is split, and why",
     R"(The rows are split by time: the first 70 % to learn from, the next 10 % to say
when to stop, the last 20 % to test. Rows are not shuffled before the split, or
the model would know the days on both sides of the one it forecasts.

Scales are taken from the first part only. The weights that are kept are those
of the epoch with the least loss on the second part. What is printed are errors
on the third, which nothing before has looked at. The model is not fitted again.

Every row is forecast from the true values before it: one step, or --horizon
steps.
)"},
    {"horizon", "forecasting more than one step",
     R"(--horizon H evaluates forecasts H steps ahead. The network forecasts one step;
that forecast joins its window and the next step is forecast, H times. The error
is that of the H-th value, for every row of the test part. Persistence, drift,
moving average and seasonal naive know no more than the network did: what was
true H steps before.

--steps N forecasts N values beyond the end of the series in the same way, each
from the ones before it. Errors grow with the distance.
)"},
    {"baselines", "the simple forecasts in the table",
     R"(persistence          the last known value
drift                the last known value and the mean change so far
moving average (5)   the mean of the last five known values
seasonal naive (m)   the value one period of m rows before

The period m is looked for in the training part only: the lag from 2 to 400 at
which the changes from row to row repeat themselves, if their autocorrelation
there is a peak of at least 0.3. Otherwise there is no seasonal forecast.
)"},
    {"lesson", "the lesson's run, and what is wrong with it",
     R"(--lesson runs the protocol of the lesson that unroll grew from: MinMaxScaler over
all rows, the first 8,946 of them, windows of 50, SimpleRNN(50, relu), Dense(1),
Adam, mse, batches of 32, 20 epochs.

The scaler has seen the values that are then forecast, and there is no test
part: the errors are those on the windows it was trained on. Beside them stands
what "tomorrow = today" scores on the same windows.
)"},
    {"sampling", "how the next token is chosen, and what the flags do",
     R"(A language model gives every token a probability. unroll generate sample draws
one of them, reads it, and goes on.

--temperature T         probabilities to the power of 1 / T: below 1 bolder for
                        the probable, above 1 more varied
--greedy                always the most probable; soon runs in circles
--top-k N               only the N most probable
--top-p P               only the most probable that together have P
--min-p P               only those with at least P times the highest probability
--repetition-penalty R  logits of what was among the last 64 tokens divided by R
                        (multiplied where below 0), once however often it came

They apply in this order: penalty, temperature, top-k, top-p, min-p. Unknown
words are never chosen. Random numbers are a function of --seed and of how many
tokens have been chosen: the same seed gives the same text.
)"},
    {"perplexity", "how language models are measured",
     R"(nats        the mean of -ln p(token) over all tokens of the part that was not
            learnt, each foretold from all before it. 0 would be certainty.
bits        the same with the logarithm to base 2
perplexity  e to the nats: as if the model had to choose among so many tokens of
            the same probability

Per token, so that a word costs more than a character. Nats a character, which
unroll prints too, compare models of characters, words and subwords: the nats of
all tokens, by the characters of the same text. A model with unknown words
foretells less than the text; theirs are not comparable with those of another
vocabulary.

The n-gram of unroll complete is interpolated with modified Kneser-Ney smoothing
(Chen and Goodman, 1998), over the same tokens as the network. What both together
give is a weighted mean of their probabilities; the weight is fitted to the last
tenth of the learnt part, which neither had learnt then, and never to the test.
)"},
    {"state", "what a network remembers from batch to batch",
     R"(A stateless layer begins every batch with zeros. A stateful one goes on where the
same row of the batch before ended: row 3 continues row 3. So a long text can be
read in pieces: unroll generate train cuts it into --batch-size streams of equal
length and reads --steps tokens of each at a time. States go on from piece to
piece, gradients do not (truncated backpropagation through time), and at the
beginning of an epoch the states are zeros again.

What is foretold for validation has states of its own; looking on changes no bit
of the training. In C++ they are a Session: each caller has one, and
Session::reset() is all there is to say.
)"},
    {"lanes", "why threads never change a result",
     R"(A batch is cut into lanes, some rows each; the cut depends on the batch and the
model, never on how many threads there are. Each lane runs the whole model on
its rows, forward and back. The lanes' gradients are added in a fixed order.
Threads are only places where lanes run, so the same --seed gives the same bytes
with --threads 1 and --threads 64. Another instruction set may differ in the
last bits.
)"},
    {"sentiment", "how reviews are learnt, and what is reported",
     R"(A model that reads reviews has to beat one that only counts: logistic regression
on words and pairs of neighbours ("not good"), each weighted by naive Bayes's
log ratio (Wang and Manning, 2012). unroll sentiment train prints both.

By default its model is their sum: the log odds of a positive review are what
the word pairs say and what a network says that reads the last words of the
review in both directions. While the network learns, it is given the word
pairs' answers to reviews that they were not learnt from, so that it learns
what they do not know. A tenth of the training reviews says when to stop; the
test reviews are only reported.

explain leaves out each word in turn and asks again. By how much the log odds
of a positive review are smaller then is what the word contributes.
)"},
    {"tokens", "what a text is cut into",
     R"(characters   every character is a token; few different ones, long sequences
words        runs of letters and digits, with the apostrophes inside them;
             everything else is a token by itself. Rare words are unknown, all
             one token
subwords     pieces that are frequent in the text, learnt by byte-pair encoding
             or as a unigram model; what is rare is spelt out of shorter ones,
             so that nothing is unknown

All three give back the text that they were made of, byte for byte, as far as
nothing in it is unknown.
)"},
    {"formats", "what unroll reads and writes",
     R"(CSV       read: a path, an http(s) URL or - (standard input). With a header or
          without, any separator, quoted fields, missing values, ISO and US
          dates.
tar.gz    read: the archive of the Large Movie Review Dataset, as a stream.
.unroll   read and written: a trained model. A safetensors file whose header
          also holds the layers, the scalers and the task; docs/formats/bundle.md
          describes every byte.
PNG, SVG  written: pictures, drawn by gnuplot; the command that made them is in
          their metadata.
JSON      written: --json; docs/json/ describes the fields.
)"},
    {"layers", "the layers and cells, their options and defaults", nullptr},
}};

constexpr std::size_t widest = 80;

/// A signature, broken behind commas; lines after the first are indented.
std::string wrapped(const std::string& text) {
  std::string result, line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = text.find(", ", at);
    const std::size_t end = comma == std::string::npos ? text.size() : comma + 2;
    const std::string part = text.substr(at, end - at);
    if (line.size() + part.size() > widest) {
      result += line.substr(0, line.size() - 1) + "\n";
      line = "    ";
    }
    line += part;
    at = end;
  }
  return result + line + "\n";
}

std::string layers_text() {
  std::string text = "Options that have no = must be given; names and defaults are Keras's.\n\n";
  for (const std::string& name : layer_names()) text += wrapped(signature(name));
  text += "\nCells, for RNN and StackedRNNCells:\n\n";
  for (const std::string& name : cell_names()) text += wrapped(signature(name));
  return text;
}

std::string contents() {
  std::string text = "unroll help TOPIC explains:\n\n";
  for (const Topic& topic : topics) {
    const std::string name = std::string("  ") + topic.name;
    text += name + std::string(16 - name.size(), ' ') + topic.about + "\n";
  }
  return text + "\nunroll COMMAND --help shows the flags of a command.\n";
}

std::vector<std::string> topic_names() {
  std::vector<std::string> names;
  for (const Topic& topic : topics) names.emplace_back(topic.name);
  return names;
}

Error no_such_topic(const Command& root, const std::string& word) {
  std::vector<std::string> known = topic_names();
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  for (const Command& command : root.commands()) known.push_back(command.name());
  const std::string near = nearest(word, known);
  return Error(ErrorKind::value, "unroll help: no such topic",
               {.got = "\"" + word + "\"",
                .want = all,
                .hint = near.empty() ? "unroll help" : "unroll help " + near});
}

int run(const Command& root, const std::string& word) {
  const auto topic = std::ranges::find(topics, word, [](const Topic& t) { return t.name; });
  const auto command = std::ranges::find(root.commands(), word, &Command::name);
  if (word.empty()) {
    write_out(contents());
  } else if (topic != topics.end()) {
    write_out(topic->text == nullptr ? layers_text() : topic->text);
  } else if (command != root.commands().end()) {
    write_out(command->help());
  } else {
    throw no_such_topic(root, word);
  }
  return 0;
}

}  // namespace

Command help_command(const Command& root) {
  auto word = std::make_shared<std::string>();
  Command command("help", "Explains what the words mean.",
                  "  unroll help\n"
                  "  unroll help persistence");
  command.group("topic");
  command.text("TOPIC", *word, "", "what to explain; none: the list");
  command.knows(topic_names());
  command.action([word, &root] { return run(root, *word); });
  return command;
}

}  // namespace unroll::apps
