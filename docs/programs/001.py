# 文章001第5.2节的程序，改两处：删去Tokenizer，词表限于20000。运行：pip install tensorflow，再python 001.py
# The program of document 001, section 5.2, with two changes: no Tokenizer, and ids below 20000.

import tensorflow as tf
from tensorflow.keras.layers import Embedding, LSTM, Dense
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.sequence import pad_sequences

# 加载和处理数据
def load_data():
    # 加载数据集
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.imdb.load_data(num_words=20000)
    # 填充序列
    x_train = pad_sequences(x_train, maxlen=100)
    x_test = pad_sequences(x_test, maxlen=100)
    return x_train, y_train, x_test, y_test

# 构建模型
def build_model():
    inputs = tf.keras.layers.Input(shape=(100,))
    embeddings = Embedding(input_dim=20000, output_dim=128)(inputs)
    lstm = LSTM(128)(embeddings)
    outputs = Dense(1, activation='sigmoid')(lstm)
    model = Model(inputs=inputs, outputs=outputs)
    model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    return model

# 训练模型
def train_model(model, x_train, y_train, x_test, y_test):
    model.fit(x_train, y_train, epochs=10, batch_size=32, validation_data=(x_test, y_test))

# 微调模型
def fine_tune(model, x_train, y_train, x_test, y_test):
    model.fit(x_train, y_train, epochs=5, batch_size=32, validation_data=(x_test, y_test))

if __name__ == '__main__':
    x_train, y_train, x_test, y_test = load_data()
    model = build_model()
    train_model(model, x_train, y_train, x_test, y_test)
    fine_tune(model, x_train, y_train, x_test, y_test)
