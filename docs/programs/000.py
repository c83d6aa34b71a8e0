# 文章000第5.2节的程序，改三处：三个张量用float32。运行：pip install torch，再python 000.py
# The program of document 000, section 5.2, with three changes: its three tensors as float32.

import torch
import torch.nn as nn
import torch.optim as optim

# 定义模型
class MLP(nn.Module):
    def __init__(self, input_dim, hidden_dim, output_dim):
        super(MLP, self).__init__()
        self.fc1 = nn.Linear(input_dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, output_dim)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.fc1(x)
        x = self.relu(x)
        x = self.fc2(x)
        return x

# 初始化模型、损失函数和优化器
model = MLP(input_dim=2, hidden_dim=10, output_dim=2)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.01)

# 数据集
x_train = torch.tensor([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=torch.float32)
y_train = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=torch.float32)

# 训练模型
for epoch in range(1000):
    optimizer.zero_grad()
    outputs = model(x_train)
    loss = criterion(outputs, y_train)
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 100 == 0:
        print(f'Epoch [{epoch + 1}/{1000}], Loss: {loss.item():.4f}')

# 测试模型
x_test = torch.tensor([[0, 1], [1, 1]], dtype=torch.float32)
outputs = model(x_test)
print(outputs)
