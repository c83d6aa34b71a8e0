# 文章002第5.2节的程序，补上缺少的数据与定义，并逐字符生成。运行：pip install tensorflow，再python 002.py
# The program of document 002, section 5.2, with the data and names that it lacks, writing one character at a time.

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Embedding, LSTM, Dense
from tensorflow.keras.models import Sequential

# 莎士比亚的文本，以字符为单位
path = tf.keras.utils.get_file(
    'shakespeare.txt', 'https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt')
with open(path) as file:
    text = file.read()
characters, ids = np.unique(list(text), return_inverse=True)
vocab_size = len(characters)
embedding_size = 128

# 定义模型
model = Sequential()
model.add(Embedding(input_dim=vocab_size, output_dim=embedding_size))
model.add(LSTM(units=128, activation='tanh'))
model.add(Dense(units=vocab_size, activation='softmax'))

# 编译模型
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])

# 每10个字符取一个窗口：40个字符，以及其后的一个字符
windows = np.lib.stride_tricks.sliding_window_view(ids, 41)[::10]
x_train = windows[:, :-1]
y_train = tf.keras.utils.to_categorical(windows[:, -1], vocab_size)

# 训练模型
model.fit(x_train, y_train, epochs=10, batch_size=64)

# 从文本的最后一个窗口写起
x_test = x_train[-1:]

def decode(rows):
    return ''.join(characters[row.argmax()] for row in rows)

# 生成文本
generated_text = []
for _ in range(400):  # 每次预测并抽取一个字符，接到窗口末尾，再预测下一个
    p = model.predict_on_batch(x_test)[0].astype('float64')
    generated_text.append(np.random.multinomial(1, p / p.sum()))
    x_test = np.append(x_test[:, 1:], [[generated_text[-1].argmax()]], axis=1)
decoded_text = decode(generated_text)

# 输出结果
print(decoded_text)
