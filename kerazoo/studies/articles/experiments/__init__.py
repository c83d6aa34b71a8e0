"""The experiments that settle the articles' claims, one module a subject.

They import neither TensorFlow nor Keras before they are carried out: `from kerazoo.lazy import keras, np, tf`.
"""
