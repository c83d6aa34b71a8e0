"""The five printed programs, and what each needs to do what its article says.

`docs/programs/` has them with all of these repairs.
"""

from __future__ import annotations

from kerazoo.studies.articles.experiments import downloads
from kerazoo.studies.articles.experiments.repairing import Program, Repair

_WHOLE_NUMBERS = "Tensors of whole numbers are int64; "

PERCEPTRON = Program(
    "000",
    "torch",
    (
        Repair(
            "x_train as float32",
            f"{_WHOLE_NUMBERS}a linear layer takes the dtype of its float32 weights.",
            {
                "x_train = torch.tensor([[1, 0], [0, 1], [1, 1], [1, 0]])": (
                    "x_train = torch.tensor([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=torch.float32)"
                )
            },
        ),
        Repair(
            "y_train as float32",
            f"{_WHOLE_NUMBERS}rows of class probabilities have to be floats.",
            {
                "y_train = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 0]])": (
                    "y_train = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=torch.float32)"
                )
            },
        ),
        Repair(
            "x_test as float32",
            f"{_WHOLE_NUMBERS}as for x_train.",
            {
                "x_test = torch.tensor([[0, 1], [1, 1]])": (
                    "x_test = torch.tensor([[0, 1], [1, 1]], dtype=torch.float32)"
                )
            },
        ),
    ),
    numbers={"loss": r"Loss: ([\d.]+)"},
)

REVIEWS = Program(
    "001",
    "tensorflow",
    (
        Repair(
            "leave the Tokenizer out",
            "imdb.load_data() gives lists of word ids, not text: there is nothing left to tokenise.",
            {
                """\
    # 将文本转换为整数序列
    tokenizer = tf.keras.preprocessing.text.Tokenizer()
    tokenizer.fit_on_texts(x_train)
    x_train = tokenizer.texts_to_sequences(x_train)
    x_test = tokenizer.texts_to_sequences(x_test)
""": ""
            },
        ),
        Repair(
            "imdb.load_data(num_words=20000)",
            "By default every word keeps its id, and the Embedding has rows for 20000 (a CPU refuses larger ids; a GPU "
            "reads zeros for them, as TensorFlow documents).",
            {"imdb.load_data()": "imdb.load_data(num_words=20000)"},
        ),
    ),
    downloads.imdb,
    downloads.IMDB,
    f"Of them there are the first {downloads.FEW_REVIEWS} of each split.",
    {name: rf"\b{name}: ([\d.]+)" for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
)

WRITER = Program(
    "002",
    "tensorflow",
    (
        Repair(
            "define vocab_size: the number of characters of a text",
            "Nothing defines it, and the document names no text.",
            {
                "import tensorflow as tf\n": "import numpy as np\nimport tensorflow as tf\n",
                "\n# 定义模型\n": """
# 莎士比亚的文本，以字符为单位
path = tf.keras.utils.get_file(
    'shakespeare.txt', 'https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt')
with open(path) as file:
    text = file.read()
characters, ids = np.unique(list(text), return_inverse=True)
vocab_size = len(characters)

# 定义模型
""",
            },
        ),
        Repair(
            "define embedding_size: the width of the embedding",
            "Nothing defines it.",
            {"\n# 定义模型\n": "embedding_size = 128\n\n# 定义模型\n"},
        ),
        Repair(
            "define x_train: windows of 40 characters, as ids (N, 40)",
            "The document prepares no data.",
            {
                "\n# 训练模型\n": """
# 每10个字符取一个窗口：40个字符，以及其后的一个字符
windows = np.lib.stride_tricks.sliding_window_view(ids, 41)[::10]
x_train = windows[:, :-1]

# 训练模型
"""
            },
        ),
        Repair(
            "define y_train: the character after each window, one-hot (N, vocab_size)",
            "The document prepares no data; its loss is categorical_crossentropy.",
            {"\n# 训练模型\n": ("y_train = tf.keras.utils.to_categorical(windows[:, -1], vocab_size)\n\n# 训练模型\n")},
        ),
        Repair(
            "define x_test: one window to begin with, (1, 40)",
            "The document prepares no data.",
            {"\n# 生成文本\n": "\n# 从文本的最后一个窗口写起\nx_test = x_train[-1:]\n\n# 生成文本\n"},
        ),
        Repair(
            "define decode: the most probable character of each row",
            "Neither Keras nor the document has one.",
            {
                "\n# 生成文本\n": """
def decode(rows):
    return ''.join(characters[row.argmax()] for row in rows)

# 生成文本
"""
            },
        ),
        Repair(
            "draw one character after the other, each appended to the window before the next is predicted",
            "It runs without, and writes no text: predict returns one distribution over the next character for each "
            "window, and so decode gives one character a window, none of which follows another.",
            {
                "generated_text = model.predict(x_test)\n": """\
generated_text = []
for _ in range(400):  # 每次预测并抽取一个字符，接到窗口末尾，再预测下一个
    p = model.predict_on_batch(x_test)[0].astype('float64')
    generated_text.append(np.random.multinomial(1, p / p.sum()))
    x_test = np.append(x_test[:, 1:], [[generated_text[-1].argmax()]], axis=1)
"""
            },
        ),
    ),
    downloads.shakespeare,
    downloads.SHAKESPEARE,
    numbers={name: rf"\b{name}: ([\d.]+)" for name in ("loss", "accuracy")},
)

DIGITS = Program(
    "003",
    "tensorflow",
    (
        Repair(
            "reshape both splits to (-1, 784)",
            "The digits are 28 x 28, the first layer takes vectors of 784; a Flatten layer would do as well.",
            {
                "x_train, x_test = x_train / 255.0, x_test / 255.0": (
                    "x_train, x_test = x_train.reshape(-1, 784) / 255.0, x_test.reshape(-1, 784) / 255.0"
                )
            },
        ),
    ),
    downloads.mnist,
    downloads.MNIST,
    numbers={"accuracy": r"Test accuracy: ([\d.]+)"},
)

DIGITS_WITH_DROPOUT = Program(
    "004",
    "tensorflow",
    (),
    downloads.mnist,
    downloads.MNIST,
    numbers={"loss": r"Test loss: ([\d.]+)", "accuracy": r"Test accuracy: ([\d.]+)"},
)

PROGRAMS = {one.name: one for one in (PERCEPTRON, REVIEWS, WRITER, DIGITS, DIGITS_WITH_DROPOUT)}
